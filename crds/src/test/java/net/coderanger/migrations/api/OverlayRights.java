package net.coderanger.migrations.api;

import module java.base;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.kubernetes.client.util.generic.dynamic.DynamicKubernetesApi;
import io.kubernetes.client.util.generic.dynamic.DynamicKubernetesObject;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The rights that an overlay of deploy/ gives, rendered by the command that installs it. */
public final class OverlayRights {
  /**
   * A right that a rule gives.
   *
   * @param namespace that it holds in; empty: in all, and for what is in none
   * @param name of the one object; empty: any
   */
  public record Right(String namespace, String group, String resource, String verb, String name) {
    private boolean isUsedBy(Audit.Request request) {
      return request.group().equals(group)
          && request.resource().equals(resource)
          && request.verb().equals(verb)
          && (namespace.isEmpty() || request.namespace().equals(namespace))
          && (name.isEmpty() || request.name().equals(name));
    }
  }

  private static final String GROUP = "rbac.authorization.k8s.io";
  private static final Set<String> KINDS =
      Set.of("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding");

  private final List<JsonObject> all;

  /**
   * Renders the overlay.
   *
   * @param overlay its folder in deploy/
   */
  public OverlayRights(String overlay) throws IOException, InterruptedException {
    var deploy =
        Path.of(System.getProperty("basedir", ".")).toAbsolutePath().resolveSibling("deploy");
    var process =
        new ProcessBuilder(KubeApi.kubectl().toString(), "kustomize", overlay)
            .directory(deploy.toFile())
            .redirectErrorStream(true)
            .start();
    var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new AssertionError(output);
    }
    var documents = new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(output);
    all =
        StreamSupport.stream(documents.spliterator(), false)
            .map(document -> new Gson().toJsonTree(document).getAsJsonObject())
            .toList();
  }

  /** One of the overlay's objects. */
  public JsonObject object(String kind, String name) {
    return all.stream()
        .filter(it -> text(it, "kind").equals(kind) && name(it).equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** Creates ServiceAccounts, roles and bindings; their namespaces have to exist. */
  public void create(KubeApi kube) {
    for (var object : all) {
      var kind = text(object, "kind");
      if (KINDS.contains(kind)) {
        var group = kind.equals("ServiceAccount") ? "" : GROUP;
        var plural = kind.toLowerCase(Locale.ROOT) + "s";
        var answer =
            new DynamicKubernetesApi(group, "v1", plural, kube.client())
                .create(new DynamicKubernetesObject(object.deepCopy()));
        if (!answer.isSuccess()) {
          throw new AssertionError(object + ": " + answer.getStatus());
        }
      }
    }
  }

  /** All that a ServiceAccount may. */
  public List<Right> of(String serviceAccount) {
    return all.stream()
        .filter(it -> text(it, "kind").endsWith("Binding") && it.has("roleRef"))
        .filter(it -> objects(it, "subjects").anyMatch(subject -> isOf(subject, serviceAccount)))
        .flatMap(
            binding -> {
              var role = binding.getAsJsonObject("roleRef");
              return objects(object(text(role, "kind"), text(role, "name")), "rules")
                  .flatMap(rule -> rights(namespace(binding), rule));
            })
        .toList();
  }

  /** Those of them that were not needed for these requests. */
  public static List<Right> unused(List<Right> rights, Set<Audit.Request> requests) {
    return rights.stream().filter(right -> requests.stream().noneMatch(right::isUsedBy)).toList();
  }

  private static Stream<Right> rights(String namespace, JsonObject rule) {
    var rights = new ArrayList<Right>();
    for (var group : texts(rule, "apiGroups")) {
      for (var resource : texts(rule, "resources")) {
        for (var verb : texts(rule, "verbs")) {
          for (var name : rule.has("resourceNames") ? texts(rule, "resourceNames") : List.of("")) {
            rights.add(new Right(namespace, group, resource, verb, name));
          }
        }
      }
    }
    return rights.stream();
  }

  private static boolean isOf(JsonObject subject, String serviceAccount) {
    return text(subject, "kind").equals("ServiceAccount")
        && text(subject, "name").equals(serviceAccount);
  }

  private static Stream<JsonObject> objects(JsonObject object, String member) {
    var list = object.has(member) ? object.getAsJsonArray(member) : new JsonArray();
    return list.asList().stream().map(JsonElement::getAsJsonObject);
  }

  private static List<String> texts(JsonObject object, String member) {
    return object.getAsJsonArray(member).asList().stream().map(JsonElement::getAsString).toList();
  }

  private static String name(JsonObject object) {
    return text(object.getAsJsonObject("metadata"), "name");
  }

  private static String namespace(JsonObject object) {
    var metadata = object.getAsJsonObject("metadata");
    return metadata.has("namespace") ? text(metadata, "namespace") : "";
  }

  private static String text(JsonObject object, String member) {
    return object.get(member).getAsString();
  }
}
