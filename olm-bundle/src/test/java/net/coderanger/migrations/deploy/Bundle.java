package net.coderanger.migrations.deploy;

import module java.base;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;

/**
 * A bundle for OLM, in memory.
 *
 * @param csv the ClusterServiceVersion
 * @param others the other objects of manifests/
 * @param annotations of metadata/annotations.yaml
 * @param labels of the bundle's image
 */
record Bundle(
    Manifest csv,
    List<Manifest> others,
    Map<String, String> annotations,
    Map<String, String> labels) {
  /** As the build puts it together. */
  static final Path FOLDER = Path.of("target/classes");

  private static final String CSV = "ClusterServiceVersion";

  static Bundle built() {
    return read(FOLDER);
  }

  /** The bundle in a folder with the parts that the image has. */
  static Bundle read(Path folder) {
    try (var files = Files.list(folder.resolve("manifests"))) {
      var objects = files.sorted().flatMap(file -> Manifest.read(file).stream()).toList();
      var csv = objects.stream().filter(it -> it.kind().equals(CSV)).findFirst();
      var others = objects.stream().filter(it -> !it.kind().equals(CSV)).toList();
      var metadata = Manifest.read(folder.resolve("metadata/annotations.yaml")).getFirst();
      var annotations = new TreeMap<String, String>();
      metadata
          .at("annotations")
          .getAsJsonObject()
          .entrySet()
          .forEach(it -> annotations.put(it.getKey(), it.getValue().getAsString()));
      var labels =
          Files.readString(Path.of("bundle.Dockerfile"))
              .lines()
              .filter(line -> line.startsWith("LABEL "))
              .map(line -> line.substring("LABEL ".length()).split("="))
              .collect(Collectors.toMap(label -> label[0], label -> label[1]));
      return new Bundle(csv.orElseThrow(), others, annotations, labels);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A copy that can be changed without harm. */
  Bundle copy() {
    return new Bundle(
        new Manifest(csv.json().deepCopy()),
        new ArrayList<>(others.stream().map(it -> new Manifest(it.json().deepCopy())).toList()),
        new TreeMap<>(annotations),
        new TreeMap<>(labels));
  }

  Stream<JsonObject> deployments() {
    return csv.each("spec", "install", "spec", "deployments");
  }

  static Stream<JsonObject> containers(JsonObject deployment) {
    return deployment
        .getAsJsonObject("spec")
        .getAsJsonObject("template")
        .getAsJsonObject("spec")
        .getAsJsonArray("containers")
        .asList()
        .stream()
        .map(JsonElement::getAsJsonObject);
  }

  /** Those that run here and those that are put into users' pods. */
  SortedSet<String> images() {
    var images = new TreeSet<String>();
    deployments()
        .flatMap(Bundle::containers)
        .forEach(
            container -> {
              images.add(container.get("image").getAsString());
              Optional.ofNullable(
                      DeploymentsTest.environment(container).get("INJECTOR_WAITER_IMAGE"))
                  .ifPresent(images::add);
            });
    return images;
  }
}
