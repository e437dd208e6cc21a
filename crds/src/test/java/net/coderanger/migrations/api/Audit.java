package net.coderanger.migrations.api;

import module java.base;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;

/** What the API server's audit log says that a user has asked for. */
public final class Audit {
  /** A request: what a rule must allow, by name where it was about one object. */
  public record Request(
      String namespace, String group, String resource, String verb, String name, int code) {}

  private final Path policy;
  private final Path log;

  /** Writes the policy, for an API server that is started with {@link #flags}. */
  public Audit() throws IOException {
    var directory = Scratch.directory("audit");
    log = directory.resolve("log");
    policy =
        Files.writeString(
            directory.resolve("policy.yaml"),
            """
            apiVersion: audit.k8s.io/v1
            kind: Policy
            omitStages: [RequestReceived]
            rules: [{level: Metadata}]
            """);
  }

  /** Flags of kube-apiserver that have it write the log. */
  public List<String> flags() {
    return List.of("--audit-policy-file=" + policy, "--audit-log-path=" + log);
  }

  /** What this user has asked for so far. */
  public Set<Request> requestsOf(String user) throws IOException {
    try (var lines = Files.lines(log)) {
      return lines
          .filter(line -> line.endsWith("}")) // the last one may be being written
          .map(line -> JsonParser.parseString(line).getAsJsonObject())
          .filter(event -> text(event.getAsJsonObject("user"), "username").equals(user))
          .filter(event -> event.has("objectRef"))
          .map(Audit::request)
          .collect(Collectors.toSet());
    }
  }

  private static Request request(JsonObject event) {
    var object = event.getAsJsonObject("objectRef");
    var part = text(object, "subresource");
    return new Request(
        text(object, "namespace"),
        text(object, "apiGroup"),
        text(object, "resource") + (part.isEmpty() ? "" : "/" + part),
        text(event, "verb"),
        text(object, "name"),
        event.has("responseStatus") && event.getAsJsonObject("responseStatus").has("code")
            ? event.getAsJsonObject("responseStatus").get("code").getAsInt()
            : 0);
  }

  private static String text(JsonObject object, String member) {
    return object.has(member) ? object.get(member).getAsString() : "";
  }
}
