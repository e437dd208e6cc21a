package net.coderanger.migrations.injector.shell;

import module java.base;

import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.api.Scratch;

/**
 * kube-api-test (7.6.1) always passes --disable-admission-plugins ServiceAccount, and no flag of
 * ours can take that back. But that admission runs before and again after us, and is what would
 * mount an API token into the waiter. So a copy of its directory, in which a script in front of
 * kube-apiserver drops the flag.
 */
final class ServiceAccountAdmission {
  private static final String PROPERTY = "kube-api-test.dir";
  private static final String SERVER = "kube-apiserver";

  private ServiceAccountAdmission() {}

  /** What the action starts gets an API server with the admission. */
  static <T> T on(Supplier<T> action) {
    var original = KubeApi.directory();
    try {
      System.setProperty(PROPERTY, copy(Path.of(original)).toString());
      return action.get();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      System.setProperty(PROPERTY, original);
    }
  }

  private static Path copy(Path original) throws IOException {
    var copy = Scratch.directory("kube-api-test");
    try (var files = Files.walk(original)) {
      for (var file : files.toList()) {
        var target = copy.resolve(original.relativize(file));
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else if (file.endsWith(SERVER)) {
          script(target, file);
        } else {
          Files.createSymbolicLink(target, file.toRealPath());
        }
      }
    }
    return copy;
  }

  private static void script(Path script, Path server) throws IOException {
    Files.writeString(
        script,
        """
        #!/bin/sh
        left=$#
        while [ "$left" -gt 0 ]; do
          argument=$1
          shift
          left=$((left - 1))
          if [ "$argument" = --disable-admission-plugins ]; then
            shift
            left=$((left - 1))
          else
            set -- "$@" "$argument"
          fi
        done
        exec '%s' "$@"
        """
            .formatted(server));
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
