package net.coderanger.migrations.deploy;

import module java.base;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * One object of deploy/ or of the bundle.
 *
 * @param json as it would be sent to the API server
 */
record Manifest(JsonObject json) {
  /** The checkout; tests run in their module's folder. */
  static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  private static final String KEEP = "helm.sh/resource-policy";

  /** The objects of one file. */
  static List<Manifest> read(Path file) {
    try {
      return parse(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The objects of all files of deploy/ that hold some, in no order, as they are written. */
  static List<Manifest> deployed() {
    var folders = Stream.of("deploy/rights", "deploy/base", "deploy/default").map(ROOT::resolve);
    return folders
        .flatMap(Manifest::files)
        .filter(file -> !file.endsWith("kustomization.yaml"))
        .flatMap(file -> read(file).stream())
        .toList();
  }

  private static Stream<Path> files(Path folder) {
    try (var files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".yaml")).toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<Manifest> parse(String yaml) {
    var documents = new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(yaml);
    return StreamSupport.stream(documents.spliterator(), false)
        .map(document -> new Manifest(new Gson().toJsonTree(document).getAsJsonObject()))
        .toList();
  }

  /**
   * Objects by namespace, kind and name, in one order of their members, without the annotation that
   * only Helm knows.
   */
  static SortedMap<String, String> byName(List<Manifest> manifests) {
    var byName = new TreeMap<String, String>();
    for (var manifest : manifests) {
      var json = manifest.json().deepCopy();
      var metadata = json.getAsJsonObject("metadata");
      var annotations = metadata.getAsJsonObject("annotations");
      if (annotations != null && annotations.remove(KEEP) != null && annotations.isEmpty()) {
        metadata.remove("annotations");
      }
      var name = manifest.namespace() + ": " + manifest;
      if (byName.put(name, sorted(json).toString()) != null) {
        throw new AssertionError(name + " is there twice");
      }
    }
    return byName;
  }

  private static JsonElement sorted(JsonElement element) {
    if (element.isJsonObject()) {
      var sorted = new JsonObject();
      element.getAsJsonObject().entrySet().stream()
          .sorted(Map.Entry.comparingByKey())
          .forEach(it -> sorted.add(it.getKey(), sorted(it.getValue())));
      return sorted;
    }
    if (element.isJsonArray()) {
      var array = new JsonArray();
      element.getAsJsonArray().forEach(it -> array.add(sorted(it)));
      return array;
    }
    return element;
  }

  String kind() {
    return json.get("kind").getAsString();
  }

  String name() {
    return at("metadata", "name").getAsString();
  }

  /** Empty for objects of the cluster. */
  String namespace() {
    var metadata = json.getAsJsonObject("metadata");
    return metadata.has("namespace") ? metadata.get("namespace").getAsString() : "";
  }

  /** What is at the end of this path of members. */
  JsonElement at(String... path) {
    JsonElement found = json;
    for (var member : path) {
      found = found.getAsJsonObject().get(member);
      if (found == null) {
        throw new NoSuchElementException(this + " has no " + String.join(".", path));
      }
    }
    return found;
  }

  /** The elements of the list at the end of this path. */
  Stream<JsonObject> each(String... path) {
    JsonArray list = at(path).getAsJsonArray();
    return list.asList().stream().map(JsonElement::getAsJsonObject);
  }

  @Override
  public String toString() {
    return kind() + "/" + name();
  }
}
