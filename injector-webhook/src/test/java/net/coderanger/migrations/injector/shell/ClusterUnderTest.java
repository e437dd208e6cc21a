package net.coderanger.migrations.injector.shell;

import static org.junit.jupiter.api.Assertions.assertTrue;

import module java.base;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.kubernetes.client.custom.V1Patch;
import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.util.generic.KubernetesApiResponse;
import io.kubernetes.client.util.generic.dynamic.DynamicKubernetesApi;
import io.kubernetes.client.util.generic.dynamic.DynamicKubernetesObject;
import io.kubernetes.client.util.generic.options.CreateOptions;
import io.kubernetes.client.util.generic.options.PatchOptions;
import net.coderanger.migrations.api.KubeApi;

/** A real API server with what a cluster's controllers would add to it. */
public final class ClusterUnderTest implements AutoCloseable {
  private final KubeApi kube;
  private final ApiClient calls;

  public ClusterUnderTest() {
    this(List.of());
  }

  /**
   * @param flags of kube-apiserver, besides those that it has anyway
   */
  ClusterUnderTest(List<String> flags) {
    kube = ServiceAccountAdmission.on(() -> KubeApi.withMigrators(flags.toArray(String[]::new)));
    calls = kube.client();
  }

  KubeApi kube() {
    return kube;
  }

  public ApiClient calls() {
    return calls;
  }

  public ApiClient watches() {
    return kube.client().setReadTimeout(0);
  }

  public String kubeconfig() {
    return kube.kubeconfig();
  }

  /** A namespace with the service account that its pods run as. */
  public void namespace(String name, String labels) {
    must(
        create(
            "",
            "v1",
            "namespaces",
            "",
            "{'metadata':{'name':'%s','labels':%s}}".formatted(name, labels)));
    must(create("", "v1", "serviceaccounts", name, "{'metadata':{'name':'default'}}"));
  }

  /** What the injector needs to be ready. */
  public void gate(String namespace, String ca) {
    must(
        create(
            "",
            "v1",
            "configmaps",
            namespace,
            "{'metadata':{'name':'migrator-controller-ca'},'data':{'ca.crt':'%s'}}"
                .formatted(ca.replace("\n", "\\n"))));
    must(
        create(
            "",
            "v1",
            "services",
            namespace,
            "{'metadata':{'name':'migrator-controller'},'spec':{'ports':[{'port':8443}]}}"));
  }

  public void migrator(String namespace, String name, String app) {
    must(
        create(
            "migrations.coderanger.net",
            "v1beta1",
            "migrators",
            namespace,
            "{'metadata':{'name':'%s'},'spec':{'selector':{'matchLabels':{'app':'%s'}}}}"
                .formatted(name, app)));
  }

  /** Quota of everything that restricted pods ask for, as its controller would have counted it. */
  public void quota(String namespace) {
    var hard =
        "{'requests.cpu':'10','limits.cpu':'10','requests.memory':'10Gi','limits.memory':'10Gi'}";
    must(
        create(
            "",
            "v1",
            "resourcequotas",
            namespace,
            "{'metadata':{'name':'all'},'spec':{'hard':" + hard + "}}"));
    var used = "{'requests.cpu':'0','limits.cpu':'0','requests.memory':'0','limits.memory':'0'}";
    must(
        patch(
            "",
            "v1",
            "resourcequotas",
            namespace,
            "all/status",
            "{'status':{'hard':%s,'used':%s}}".formatted(hard, used)));
    must(
        create(
            "",
            "v1",
            "limitranges",
            namespace,
            "{'metadata':{'name':'all'},'spec':{'limits':[{'type':'Container','min':{'cpu':'50m','memory':'100Mi'},'max':{'cpu':'2'},'default':{'ephemeral-storage':'1Gi'}}]}}"));
  }

  /** The webhook as deploy/ registers it, but by URL, and for all namespaces. */
  public void webhook(String name, int port, String ca) {
    webhook(name, port, ca, "{}");
  }

  /** The webhook as deploy/ registers it, but by URL, and for namespaces with these labels. */
  void webhook(String name, int port, String ca, String namespaceLabels) {
    must(
        create(
            "admissionregistration.k8s.io",
            "v1",
            "mutatingwebhookconfigurations",
            "",
            """
            {'metadata':{'name':'%s'},'webhooks':[{'name':'pods.migrations.coderanger.net',
             'clientConfig':{'url':'https://127.0.0.1:%d/mutate','caBundle':'%s'},
             'namespaceSelector':{'matchLabels':%s},
             'rules':[{'operations':['CREATE'],'apiGroups':[''],'apiVersions':['v1'],'resources':['pods']}],
             'admissionReviewVersions':['v1'],'sideEffects':'None','timeoutSeconds':3,
             'failurePolicy':'Fail','reinvocationPolicy':'IfNeeded'}]}
            """
                .formatted(
                    name,
                    port,
                    Base64.getEncoder().encodeToString(ca.getBytes()),
                    namespaceLabels)));
  }

  /** PEM in the first webhook of a configuration. */
  public String caBundle(String configuration) {
    var raw =
        api("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations")
            .get(configuration)
            .getObject()
            .getRaw();
    var webhook = raw.getAsJsonArray("webhooks").get(0).getAsJsonObject();
    var base64 = webhook.getAsJsonObject("clientConfig").get("caBundle").getAsString();
    return new String(Base64.getDecoder().decode(base64), StandardCharsets.US_ASCII);
  }

  /** Raw JSON, with single quotes; an empty namespace is none. */
  public KubernetesApiResponse<DynamicKubernetesObject> create(
      String group, String version, String plural, String namespace, String json) {
    var object = JsonParser.parseString(json.replace('\'', '"')).getAsJsonObject();
    object.addProperty("apiVersion", group.isEmpty() ? version : group + "/" + version);
    object.addProperty("kind", kind(plural));
    return create(group, version, plural, namespace, object, new CreateOptions());
  }

  KubernetesApiResponse<DynamicKubernetesObject> create(
      String group,
      String version,
      String plural,
      String namespace,
      JsonObject object,
      CreateOptions options) {
    if (!namespace.isEmpty()) {
      object.getAsJsonObject("metadata").addProperty("namespace", namespace);
    }
    return api(group, version, plural).create(new DynamicKubernetesObject(object), options);
  }

  KubernetesApiResponse<DynamicKubernetesObject> patch(
      String group, String version, String plural, String namespace, String name, String json) {
    var patch = new V1Patch(json.replace('\'', '"'));
    var api = api(group, version, plural);
    var format = V1Patch.PATCH_FORMAT_JSON_MERGE_PATCH;
    return namespace.isEmpty()
        ? api.patch(name, format, patch, new PatchOptions())
        : api.patch(namespace, name, format, patch, new PatchOptions());
  }

  DynamicKubernetesApi api(String group, String version, String plural) {
    return new DynamicKubernetesApi(group, version, plural, calls());
  }

  static DynamicKubernetesObject must(KubernetesApiResponse<DynamicKubernetesObject> answer) {
    assertTrue(answer.isSuccess(), () -> answer.getStatus().getMessage());
    return answer.getObject();
  }

  private static String kind(String plural) {
    return switch (plural) {
      case "namespaces" -> "Namespace";
      case "serviceaccounts" -> "ServiceAccount";
      case "configmaps" -> "ConfigMap";
      case "services" -> "Service";
      case "migrators" -> "Migrator";
      case "resourcequotas" -> "ResourceQuota";
      case "limitranges" -> "LimitRange";
      case "mutatingwebhookconfigurations" -> "MutatingWebhookConfiguration";
      case "pods" -> "Pod";
      default -> throw new IllegalArgumentException(plural);
    };
  }

  @Override
  public void close() {
    kube.close();
  }
}
