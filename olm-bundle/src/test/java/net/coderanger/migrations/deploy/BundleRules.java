package net.coderanger.migrations.deploy;

import module java.base;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonSyntaxException;
import io.fabric8.openshift.api.model.operatorhub.v1alpha1.ClusterServiceVersion;

/**
 * What OLM and its catalogues refuse, rule by rule, as `operator-sdk bundle validate` with the
 * suite operatorframework does.
 */
enum BundleRules {
  HAS_ONLY_FIELDS_THAT_OLM_KNOWS {
    @Override
    Stream<String> violations(Bundle bundle) {
      try {
        STRICT.readValue(bundle.csv().json().toString(), ClusterServiceVersion.class);
        return Stream.of();
      } catch (JsonProcessingException e) {
        return Stream.of(e.getOriginalMessage());
      }
    }
  },
  HAS_ALL_FIELDS_THAT_OLM_REQUIRES {
    @Override
    Stream<String> violations(Bundle bundle) {
      return REQUIRED.entrySet().stream()
          .flatMap(
              required ->
                  at(bundle.csv().at("spec"), required.getKey())
                      .map(JsonElement::getAsJsonObject)
                      .flatMap(
                          object ->
                              required.getValue().stream()
                                  .filter(member -> !object.has(member))
                                  .map(
                                      member ->
                                          "spec.%s: %s is missing in %s"
                                              .formatted(required.getKey(), member, object))));
    }
  },
  NAMES_ITS_PROVIDER {
    @Override
    Stream<String> violations(Bundle bundle) {
      return when(text(bundle, "provider", "name").isBlank(), "spec.provider.name is missing");
    }
  },
  HAS_A_SEMANTIC_VERSION {
    @Override
    Stream<String> violations(Bundle bundle) {
      var version = text(bundle, "version");
      return when(!SEMANTIC.matcher(version).matches(), "spec.version: '" + version + "'");
    }
  },
  IS_NAMED_BY_ITS_VERSION {
    @Override
    Stream<String> violations(Bundle bundle) {
      var name = "migrations-operator.v" + text(bundle, "version").toLowerCase(Locale.ROOT);
      return when(!bundle.csv().name().equals(name), "metadata.name is not " + name);
    }
  },
  HAS_AN_ICON_THAT_IS_SVG_OR_PNG {
    @Override
    Stream<String> violations(Bundle bundle) {
      var icons = list(bundle.csv().at("spec").getAsJsonObject(), "icon");
      return icons.isEmpty()
          ? Stream.of("spec.icon is missing")
          : icons.stream()
              .flatMap(
                  icon -> {
                    var data = Base64.getDecoder().decode(icon.get("base64data").getAsString());
                    var begins = new String(data, StandardCharsets.ISO_8859_1);
                    var type = icon.get("mediatype").getAsString();
                    var matches =
                        type.equals("image/svg+xml") && begins.startsWith("<svg ")
                            || type.equals("image/png") && begins.startsWith("\u0089PNG");
                    return when(!matches, "spec.icon is no " + type);
                  });
    }
  },
  HAS_A_CAPABILITY_LEVEL_OF_THE_FIVE {
    @Override
    Stream<String> violations(Bundle bundle) {
      var level = annotation(bundle, "capabilities");
      return when(!CAPABILITIES.contains(level), "capabilities: '" + level + "'");
    }
  },
  CLAIMS_NO_MORE_THAN_SEAMLESS_UPGRADES {
    @Override
    Stream<String> violations(Bundle bundle) {
      return when(
          CAPABILITIES.indexOf(annotation(bundle, "capabilities")) > 1,
          "capabilities claims what the operator does not do");
    }
  },
  HAS_CATEGORIES_OF_THE_CATALOGUE {
    @Override
    Stream<String> violations(Bundle bundle) {
      return Stream.of(annotation(bundle, "categories").split(", "))
          .filter(it -> !CATEGORIES.contains(it))
          .map(it -> "categories: '" + it + "'");
    }
  },
  HAS_A_STRICT_LEAST_KUBERNETES_VERSION {
    @Override
    Stream<String> violations(Bundle bundle) {
      var version = text(bundle, "minKubeVersion");
      return when(!version.matches("\\d+\\.\\d+\\.\\d+"), "minKubeVersion: '" + version + "'");
    }
  },
  OWNS_THE_DEFINITIONS_THAT_IT_BUNDLES {
    @Override
    Stream<String> violations(Bundle bundle) {
      var owned =
          owned(bundle)
              .map(it -> it.get("name").getAsString() + "/" + it.get("version").getAsString())
              .collect(Collectors.toCollection(TreeSet::new));
      var bundled =
          bundle.others().stream()
              .filter(it -> it.kind().equals("CustomResourceDefinition"))
              .flatMap(
                  it ->
                      it.each("spec", "versions")
                          .map(version -> it.name() + "/" + version.get("name").getAsString()))
              .collect(Collectors.toCollection(TreeSet::new));
      return when(!owned.equals(bundled), "owned " + owned + ", bundled " + bundled);
    }
  },
  HAS_EXAMPLES_OF_WHAT_IT_OWNS {
    @Override
    Stream<String> violations(Bundle bundle) {
      var owned = owned(bundle).map(it -> it.get("kind").getAsString()).collect(toSorted());
      try {
        var examples =
            JsonParser.parseString(annotation(bundle, "alm-examples"))
                .getAsJsonArray()
                .asList()
                .stream()
                .map(it -> it.getAsJsonObject().get("kind").getAsString())
                .collect(toSorted());
        return when(!owned.equals(examples), "owned " + owned + ", alm-examples of " + examples);
      } catch (JsonSyntaxException | IllegalStateException e) {
        return Stream.of("alm-examples: " + e.getMessage());
      }
    }
  },
  BUNDLES_NO_SERVICE_ACCOUNT_TWICE {
    @Override
    Stream<String> violations(Bundle bundle) {
      var made =
          Stream.of("clusterPermissions", "permissions")
              .flatMap(it -> bundle.csv().each("spec", "install", "spec", it))
              .map(it -> it.get("serviceAccountName").getAsString())
              .collect(toSorted());
      return bundle.others().stream()
          .filter(it -> it.kind().equals("ServiceAccount") && made.contains(it.name()))
          .map(it -> it + " is made by OLM already");
    }
  },
  HAS_A_DEPLOYMENT_BEHIND_EACH_WEBHOOK {
    @Override
    Stream<String> violations(Bundle bundle) {
      var names = bundle.deployments().map(it -> it.get("name").getAsString()).collect(toSorted());
      return bundle
          .csv()
          .each("spec", "webhookdefinitions")
          .map(it -> it.get("deploymentName").getAsString())
          .filter(it -> !names.contains(it))
          .map(it -> "webhook of an unknown Deployment " + it);
    }
  },
  SERVES_THE_WEBHOOK_WITH_THE_CERTIFICATE_OF_OLM {
    @Override
    Stream<String> violations(Bundle bundle) {
      var hooked =
          bundle
              .csv()
              .each("spec", "webhookdefinitions")
              .map(it -> it.get("deploymentName").getAsString())
              .collect(toSorted());
      return bundle
          .deployments()
          .filter(it -> hooked.contains(it.get("name").getAsString()))
          .flatMap(Bundle::containers)
          .map(DeploymentsTest::environment)
          .flatMap(
              it ->
                  when(
                      !"files".equals(it.get("TLS_MODE"))
                          || !OLM_CERTIFICATES.equals(
                              it.getOrDefault("TLS_DIRECTORY", OLM_CERTIFICATES)),
                      "TLS_MODE is not files in " + OLM_CERTIFICATES));
    }
  },
  LEAVES_THE_VOLUMES_OF_OLM_TO_OLM {
    @Override
    Stream<String> violations(Bundle bundle) {
      return bundle
          .deployments()
          .map(it -> it.getAsJsonObject("spec").getAsJsonObject("template").getAsJsonObject("spec"))
          .flatMap(it -> list(it, "volumes").stream())
          .map(it -> it.get("name").getAsString())
          .filter(Set.of("webhook-cert", "apiservice-cert")::contains)
          .map(it -> "volume " + it + " would be replaced");
    }
  },
  RELATES_ALL_IMAGES {
    @Override
    Stream<String> violations(Bundle bundle) {
      var related = related(bundle).collect(toSorted());
      return when(
          !related.equals(bundle.images()), "related " + related + ", used " + bundle.images());
    }
  },
  PINS_THE_IMAGES_OF_A_RELEASE {
    @Override
    Stream<String> violations(Bundle bundle) {
      return Stream.concat(related(bundle), bundle.images().stream())
          .filter(it -> !it.matches(".*@sha256:[0-9a-f]{64}"))
          .map(it -> it + " has no digest");
    }
  },
  IS_LABELLED_AS_ITS_METADATA_SAY {
    @Override
    Stream<String> violations(Bundle bundle) {
      return when(
          !bundle.annotations().equals(bundle.labels()), "labels differ from annotations.yaml");
    }
  },
  STAYS_A_CANDIDATE_UNTIL_1_0 {
    @Override
    Stream<String> violations(Bundle bundle) {
      return when(
          text(bundle, "version").startsWith("0.")
              && !"candidate"
                  .equals(
                      bundle
                          .annotations()
                          .get("operators.operatorframework.io.bundle.channels.v1")),
          "channel of a version before 1.0");
    }
  },
  SUPPORTS_AN_INSTALL_MODE {
    @Override
    Stream<String> violations(Bundle bundle) {
      return when(
          bundle
              .csv()
              .each("spec", "installModes")
              .noneMatch(it -> it.get("supported").getAsBoolean()),
          "no install mode is supported");
    }
  };

  private static final String OLM_CERTIFICATES = "/tmp/k8s-webhook-server/serving-certs";
  private static final List<String> CAPABILITIES =
      List.of(
          "Basic Install", "Seamless Upgrades", "Full Lifecycle", "Deep Insights", "Auto Pilot");

  /** Of the schema of ClusterServiceVersion, below `spec`, what we write: path to members. */
  private static final Map<String, List<String>> REQUIRED =
      Map.of(
          "icon", List.of("base64data", "mediatype"),
          "install.spec", List.of("deployments"),
          "install.spec.clusterPermissions", List.of("rules", "serviceAccountName"),
          "install.spec.deployments", List.of("name", "spec"),
          "installModes", List.of("supported", "type"),
          "customresourcedefinitions.owned", List.of("kind", "name", "version"),
          "customresourcedefinitions.owned.resources", List.of("kind", "name", "version"),
          "customresourcedefinitions.owned.specDescriptors", List.of("path"),
          "relatedImages", List.of("image", "name"),
          "webhookdefinitions",
              List.of("admissionReviewVersions", "generateName", "sideEffects", "type"));

  /** Of the many those that could be ours. */
  private static final Set<String> CATEGORIES = Set.of("Database", "Developer Tools");

  /** https://semver.org */
  private static final Pattern SEMANTIC =
      Pattern.compile("(0|[1-9]\\d*)(\\.(0|[1-9]\\d*)){2}(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?");

  /** Refuses fields that the typed model would keep beside its own. */
  private static final ObjectMapper STRICT =
      new ObjectMapper()
          .setAnnotationIntrospector(
              new JacksonAnnotationIntrospector() {
                private static final long serialVersionUID = 1;

                @Override
                public Boolean hasAnySetter(Annotated annotated) {
                  return false;
                }
              });

  /** In words; none when the rule is kept. */
  abstract Stream<String> violations(Bundle bundle);

  private static Stream<String> when(boolean broken, String violation) {
    return broken ? Stream.of(violation) : Stream.of();
  }

  private static Collector<String, ?, TreeSet<String>> toSorted() {
    return Collectors.toCollection(TreeSet::new);
  }

  /** What a path leads to, through all elements of the lists on its way. */
  private static Stream<JsonElement> at(JsonElement from, String path) {
    var found = Stream.of(from);
    for (var member : path.split("\\.")) {
      found =
          found
              .map(it -> it.getAsJsonObject().get(member))
              .filter(Objects::nonNull)
              .flatMap(
                  it -> it.isJsonArray() ? it.getAsJsonArray().asList().stream() : Stream.of(it));
    }
    return found;
  }

  private static String text(Bundle bundle, String... path) {
    JsonElement found = bundle.csv().at("spec");
    for (var member : path) {
      found = found.getAsJsonObject().get(member);
      if (found == null) {
        return "";
      }
    }
    return found.getAsString();
  }

  private static String annotation(Bundle bundle, String key) {
    var value = bundle.csv().at("metadata", "annotations").getAsJsonObject().get(key);
    return value == null ? "" : value.getAsString();
  }

  private static Stream<JsonObject> owned(Bundle bundle) {
    return bundle.csv().each("spec", "customresourcedefinitions", "owned");
  }

  private static Stream<String> related(Bundle bundle) {
    return bundle.csv().each("spec", "relatedImages").map(it -> it.get("image").getAsString());
  }

  private static List<JsonObject> list(JsonObject object, String member) {
    return object.has(member)
        ? object.getAsJsonArray(member).asList().stream().map(JsonElement::getAsJsonObject).toList()
        : List.of();
  }
}
