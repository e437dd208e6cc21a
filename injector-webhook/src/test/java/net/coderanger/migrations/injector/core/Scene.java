package net.coderanger.migrations.injector.core;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import module java.base;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.fge.jsonpatch.JsonPatch;
import com.github.fge.jsonpatch.JsonPatchException;
import jakarta.json.JsonObject;
import jakarta.json.JsonValue;
import net.coderanger.migrations.injector.core.KnownMigrator.Selecting;
import net.coderanger.migrations.injector.core.Outcome.AllowUntouched;
import net.coderanger.migrations.injector.core.Outcome.Patch;
import net.coderanger.migrations.injector.core.Outcome.Refuse;

/** One pod is created in namespace shop. */
public final class Scene {
  public static final String OPERATOR = "migrations-operator";
  public static final WaiterSettings SETTINGS =
      new WaiterSettings(
          "ghcr.io/coderanger/migrations-operator/waiter:1.0",
          65532,
          65533,
          "10m",
          "500m",
          "64Mi",
          "https://migrator-controller.migrations-operator.svc:8443");
  public static final Gate GATE = new Gate("PEM", Optional.of("10.96.0.7"));
  static final Injection INJECTION =
      new Injection(SETTINGS, Set.of(OPERATOR, "kube-system")::contains);

  private static final ObjectMapper JACKSON = new ObjectMapper();

  private Scene() {}

  /** JSON with single quotes. */
  public static JsonObject json(String text) {
    try (var reader = Raw.JSON.createReader(new StringReader(text.replace('\'', '"')))) {
      return reader.readObject();
    }
  }

  /** A pod with label app=shop. */
  static JsonObject pod(String spec) {
    return json("{'metadata':{'name':'p','labels':{'app':'shop'}},'spec':%s}".formatted(spec));
  }

  static JsonObject annotated(String annotations) {
    return json(
        "{'metadata':{'name':'p','labels':{'app':'shop'},'annotations':%s},'spec':{'containers':[]}}"
            .formatted(annotations));
  }

  static AdmissionRequest creating(JsonObject pod) {
    return new AdmissionRequest("u", true, "shop", pod);
  }

  /** Migrators that select label app=shop. */
  static List<KnownMigrator> migrators(String... names) {
    return Stream.of(names)
        .<KnownMigrator>map(name -> new Selecting(name, labels -> "shop".equals(labels.get("app"))))
        .toList();
  }

  static Outcome decide(JsonObject pod, String... migrators) {
    return INJECTION.decide(creating(pod), migrators(migrators), Optional.of(GATE));
  }

  static Outcome.Reason untouched(Outcome outcome) {
    return assertInstanceOf(AllowUntouched.class, outcome).reason();
  }

  static String refused(Outcome outcome) {
    return assertInstanceOf(Refuse.class, outcome).message();
  }

  /** The pod that comes out of a patch, by a library other than ours. */
  static JsonObject applied(JsonObject pod, Outcome outcome) {
    var operations = assertInstanceOf(Patch.class, outcome).operations();
    try {
      var patch = JsonPatch.fromJson(JACKSON.readTree(operations.toString()));
      return json(patch.apply(JACKSON.readTree(pod.toString())).toString().replace("'", "\\u0027"));
    } catch (IOException | JsonPatchException e) {
      throw new AssertionError("does not apply: " + operations, e);
    }
  }

  static JsonObject gated(JsonObject pod, String... migrators) {
    return applied(pod, decide(pod, migrators));
  }

  static List<String> initNames(JsonObject pod) {
    return Pod.of(pod).initContainers().stream().map(it -> it.text("name").orElse("")).toList();
  }

  static JsonObject initContainer(JsonObject pod, String name) {
    return Pod.of(pod).initContainers().stream()
        .map(Raw::json)
        .filter(it -> it.getString("name").equals(name))
        .findFirst()
        .orElseThrow();
  }

  static List<String> volumeNames(JsonObject pod) {
    return Pod.of(pod).volumes().stream().map(it -> it.text("name").orElse("")).toList();
  }

  /** The object with one value set, at a JSON pointer. */
  static JsonObject with(JsonObject object, String pointer, JsonValue value) {
    return Raw.JSON.createPointer(pointer).add(object, value);
  }

  static JsonObject with(JsonObject object, String pointer, String value) {
    return with(object, pointer, Raw.JSON.createValue(value));
  }
}
