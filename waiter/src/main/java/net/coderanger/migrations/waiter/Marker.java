package net.coderanger.migrations.waiter;

import module java.base;

/**
 * The waiter's memory, in a volume of the pod that no other container mounts: a pod that was
 * released once is not asked about again when its init containers run anew after a node's reboot.
 */
record Marker(Path file, String podUid) {
  boolean isOurs() {
    try {
      return Files.readString(file).strip().equals(podUid);
    } catch (IOException _) {
      return false;
    }
  }

  /** Whole or not at all: a torn marker must not be taken for another pod's. */
  void write() throws IOException {
    var part = Files.writeString(file.resolveSibling(file.getFileName() + ".part"), podUid);
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
