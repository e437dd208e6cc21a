package net.coderanger.migrations.deploy;

import module java.base;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;

/**
 * What OLM makes of a bundle in install mode AllNamespaces, as plain objects: accounts, rights,
 * Deployments with its certificates mounted, a Service and a configuration for each webhook. After
 * operator-lifecycle-manager's pkg/controller/install.
 *
 * @param namespace that it installs into
 * @param certificate PEM of the webhook's certificate
 * @param key PEM of its private key
 * @param authority PEM of the CA that made it
 */
record Olm(String namespace, String certificate, String key, String authority) {
  private static final String RBAC = "rbac.authorization.k8s.io";

  /** The Service in front of a webhook's Deployment, whose name the certificate carries. */
  static String service(String deployment) {
    return deployment + "-service";
  }

  List<Manifest> install(Bundle bundle) {
    var made = new ArrayList<Manifest>();
    bundle.others().forEach(it -> made.add(placed(it)));
    accounts(bundle).forEach(it -> made.add(object("v1", "ServiceAccount", it, true, Map.of())));
    rights(bundle, "clusterPermissions", false, made);
    rights(bundle, "permissions", true, made);
    for (var webhook : bundle.csv().each("spec", "webhookdefinitions").toList()) {
      made.addAll(webhook(webhook, bundle));
    }
    bundle.deployments().forEach(it -> made.add(deployment(it, bundle)));
    return made;
  }

  private Manifest placed(Manifest manifest) {
    var json = manifest.json().deepCopy();
    if (Set.of("Service", "PodDisruptionBudget").contains(manifest.kind())) {
      json.getAsJsonObject("metadata").addProperty("namespace", namespace);
    }
    return new Manifest(json);
  }

  private static SortedSet<String> accounts(Bundle bundle) {
    return Stream.of("clusterPermissions", "permissions")
        .flatMap(it -> bundle.csv().each("spec", "install", "spec", it))
        .map(it -> it.get("serviceAccountName").getAsString())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private void rights(Bundle bundle, String which, boolean namespaced, List<Manifest> made) {
    var kind = namespaced ? "Role" : "ClusterRole";
    for (var permission : bundle.csv().each("spec", "install", "spec", which).toList()) {
      var account = permission.get("serviceAccountName").getAsString();
      var name = bundle.csv().name() + "-" + account;
      made.add(
          object(RBAC + "/v1", kind, name, namespaced, Map.of("rules", permission.get("rules"))));
      made.add(
          object(
              RBAC + "/v1",
              kind + "Binding",
              name,
              namespaced,
              Map.of(
                  "roleRef",
                  Map.of("apiGroup", RBAC, "kind", kind, "name", name),
                  "subjects",
                  List.of(
                      Map.of("kind", "ServiceAccount", "name", account, "namespace", namespace)))));
    }
  }

  private List<Manifest> webhook(JsonObject webhook, Bundle bundle) {
    var deployment = webhook.get("deploymentName").getAsString();
    var selector =
        bundle
            .deployments()
            .filter(it -> it.get("name").getAsString().equals(deployment))
            .map(it -> it.getAsJsonObject("spec").getAsJsonObject("selector").get("matchLabels"))
            .findFirst()
            .orElseThrow();
    var port = webhook.get("containerPort").getAsInt();
    var secret = Map.of("tls.crt", certificate, "tls.key", key, "olmCAKey", authority);
    var entry = webhook.deepCopy();
    for (var ofOlm :
        List.of(
            "type",
            "generateName",
            "deploymentName",
            "containerPort",
            "targetPort",
            "webhookPath")) {
      entry.remove(ofOlm);
    }
    entry.add("name", webhook.get("generateName"));
    entry.add(
        "clientConfig",
        tree(
            Map.of(
                "caBundle",
                Base64.getEncoder().encodeToString(authority.getBytes()),
                "service",
                Map.of(
                    "name",
                    service(deployment),
                    "namespace",
                    namespace,
                    "path",
                    webhook.get("webhookPath"),
                    "port",
                    port))));
    entry.add("namespaceSelector", new JsonObject()); // AllNamespaces
    return List.of(
        object(
            "v1",
            "Service",
            service(deployment),
            true,
            Map.of(
                "spec",
                Map.of(
                    "selector",
                    selector,
                    "ports",
                    List.of(
                        Map.of(
                            "name",
                            String.valueOf(port),
                            "port",
                            port,
                            "targetPort",
                            webhook.get("targetPort")))))),
        object(
            "v1",
            "Secret",
            service(deployment) + "-cert",
            true,
            Map.of("type", "kubernetes.io/tls", "stringData", secret)),
        object(
            "admissionregistration.k8s.io/v1",
            "MutatingWebhookConfiguration",
            webhook.get("generateName").getAsString() + "-x7k2p", // OLM makes five letters up
            false,
            Map.of("webhooks", List.of(entry))));
  }

  private Manifest deployment(JsonObject deployment, Bundle bundle) {
    var name = deployment.get("name").getAsString();
    var spec = deployment.getAsJsonObject("spec").deepCopy();
    var pod = spec.getAsJsonObject("template").getAsJsonObject("spec");
    var mounts = new ArrayList<Map.Entry<String, String>>();
    var hooked =
        bundle
            .csv()
            .each("spec", "webhookdefinitions")
            .anyMatch(it -> it.get("deploymentName").getAsString().equals(name));
    if (hooked) {
      mounts.add(Map.entry("apiservice-cert", "/apiserver.local.config/certificates"));
      mounts.add(Map.entry("webhook-cert", "/tmp/k8s-webhook-server/serving-certs"));
    }
    var containers = pod.getAsJsonArray("containers");
    for (var mount : mounts) {
      var prefix = mount.getKey().equals("apiservice-cert") ? "apiserver" : "tls";
      array(pod, "volumes")
          .add(
              tree(
                  Map.of(
                      "name",
                      mount.getKey(),
                      "secret",
                      Map.of(
                          "secretName",
                          service(name) + "-cert",
                          "items",
                          List.of(
                              Map.of("key", "tls.crt", "path", prefix + ".crt"),
                              Map.of("key", "tls.key", "path", prefix + ".key"))))));
      for (var container : containers) {
        array(container.getAsJsonObject(), "volumeMounts")
            .add(tree(Map.of("name", mount.getKey(), "mountPath", mount.getValue())));
      }
    }
    for (var container : containers) {
      array(container.getAsJsonObject(), "env")
          .add(tree(Map.of("name", "OPERATOR_CONDITION_NAME", "value", bundle.csv().name())));
    }
    var made = object("apps/v1", "Deployment", name, true, Map.of("spec", spec));
    made.json().getAsJsonObject("metadata").add("labels", deployment.get("label"));
    return made;
  }

  private static JsonArray array(JsonObject object, String member) {
    if (!object.has(member)) {
      object.add(member, new JsonArray());
    }
    return object.getAsJsonArray(member);
  }

  private Manifest object(
      String apiVersion, String kind, String name, boolean namespaced, Map<String, ?> content) {
    var metadata = new JsonObject();
    metadata.addProperty("name", name);
    if (namespaced) {
      metadata.addProperty("namespace", namespace);
    }
    var json = new JsonObject();
    json.addProperty("apiVersion", apiVersion);
    json.addProperty("kind", kind);
    json.add("metadata", metadata);
    content.forEach((member, value) -> json.add(member, tree(value)));
    return new Manifest(json);
  }

  private static JsonElement tree(Object value) {
    return new Gson().toJsonTree(value);
  }
}
