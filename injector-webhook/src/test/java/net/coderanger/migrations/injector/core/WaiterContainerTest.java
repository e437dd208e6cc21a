package net.coderanger.migrations.injector.core;

import static net.coderanger.migrations.injector.core.Scene.*;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import jakarta.json.JsonObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WaiterContainerTest {
  @Test
  void isExactlyThis() {
    var expected =
        """
        {'name':'migrate-wait-db','image':'ghcr.io/coderanger/migrations-operator/waiter:1.0',
         'env':[
          {'name':'WAITER_MIGRATOR','value':'db'},
          {'name':'WAITER_GATE_URL','value':'https://migrator-controller.migrations-operator.svc:8443'},
          {'name':'WAITER_GATE_CA','value':'PEM'},
          {'name':'WAITER_POD_UID','valueFrom':{'fieldRef':{'apiVersion':'v1','fieldPath':'metadata.uid'}}}],
         'volumeMounts':[
          {'name':'migrate-wait-token','mountPath':'/var/run/secrets/kubernetes.io/serviceaccount','readOnly':true},
          {'name':'migrate-wait-marker','mountPath':'/run/migrations'}],
         'securityContext':{'runAsNonRoot':true,'runAsUser':65532,'runAsGroup':65533,
          'readOnlyRootFilesystem':true,'allowPrivilegeEscalation':false,
          'capabilities':{'drop':['ALL']},'seccompProfile':{'type':'RuntimeDefault'}},
         'terminationMessagePolicy':'FallbackToLogsOnError',
         'resources':{'requests':{'cpu':'10m','memory':'64Mi'},'limits':{'cpu':'500m','memory':'64Mi'}}}
        """;
    assertEquals(json(expected), waiter("{}"));
  }

  @Test
  void itsVolumesAreExactlyThese() {
    var expected =
        """
        {'v':[
         {'name':'migrate-wait-token','projected':{'sources':[{'serviceAccountToken':
          {'audience':'migrations.coderanger.net','expirationSeconds':600,'path':'token'}}]}},
         {'name':'migrate-wait-marker','emptyDir':{}}]}
        """;
    assertEquals(
        json(expected).get("v"), gated(pod("{}"), "db").getJsonObject("spec").get("volumes"));
  }

  @Test
  void aGuaranteedPodKeepsItsClass() {
    var guaranteed =
        waiter(
            "{'containers':[{'name':'app','resources':{'limits':{'cpu':'100m','memory':'1Gi'}}}]}");
    assertEquals(
        json("{'cpu':'100m','memory':'1Gi'}"),
        guaranteed.getJsonObject("resources").getJsonObject("requests"));
    assertEquals(
        guaranteed.getJsonObject("resources").getJsonObject("requests"),
        guaranteed.getJsonObject("resources").getJsonObject("limits"));
    var burstable =
        waiter(
            "{'containers':[{'name':'app','resources':{'requests':{'cpu':'50m'},'limits':{'cpu':'100m','memory':'1Gi'}}}]}");
    assertEquals(
        json("{'cpu':'50m','memory':'1Gi'}"),
        burstable.getJsonObject("resources").getJsonObject("requests"));
  }

  @ParameterizedTest(name = "containers that ask for {0} and {1}: {2}")
  @CsvSource(
      delimiter = '|',
      value = {
        "'cpu':'50m','memory':'100Mi'|'cpu':'1','memory':'0.5Gi'|'cpu':'50m','memory':'100Mi'",
        "'cpu':'5m','memory':'1Mi'   |'cpu':'1','memory':'2Mi'  |'cpu':'10m','memory':'64Mi'",
        "'cpu':2                     |'cpu':'3'                 |'cpu':'2','memory':'64Mi'",
        "'cpu':'50m'                 |'memory':'1Gi'            |'cpu':'10m','memory':'64Mi'",
        "'cpu':'nonsense'            |'cpu':'nonsense'          |'cpu':'10m','memory':'64Mi'"
      })
  void asksForWhatTheLeastContainerAsksForAsALimitRangeMayWant(
      String first, String second, String expected) {
    var resources =
        waiter(
                "{'containers':[{'name':'a','resources':{'requests':{%s}}},{'name':'b','resources':{'requests':{%s}}}]}"
                    .formatted(first, second))
            .getJsonObject("resources");
    assertEquals(json("{" + expected + "}"), resources.getJsonObject("requests"));
  }

  @Test
  void itsLimitIsNeverBelowItsRequest() {
    var waiter =
        waiter(
            "{'containers':[{'name':'app','resources':{'requests':{'cpu':'2','memory':'1Gi'}}}]}");
    assertEquals(
        json("{'cpu':'2','memory':'1Gi'}"),
        waiter.getJsonObject("resources").getJsonObject("limits"));
  }

  @Test
  void aPodWithResourcesOfItsOwnIsGivenNone() {
    assertFalse(waiter("{'resources':{'limits':{'cpu':'1'}}}").containsKey("resources"));
    assertTrue(waiter("{'resources':{}}").containsKey("resources"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'hostNetwork':true}",
        "{'hostNetwork':true,'dnsPolicy':'ClusterFirst'}",
        "{'dnsPolicy':'Default'}",
        "{'dnsPolicy':'None'}"
      })
  void aPodThatMayNotResolveClusterNamesIsToldTheAddress(String spec) {
    assertTrue(
        waiter(spec)
            .getJsonArray("env")
            .contains(json("{'name':'WAITER_GATE_ADDRESS','value':'10.96.0.7'}")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{'hostNetwork':false}", "{'dnsPolicy':'ClusterFirst'}"})
  void otherPodsAreNotToldTheAddressWhichMayChange(String spec) {
    assertFalse(waiter(spec).getJsonArray("env").toString().contains("WAITER_GATE_ADDRESS"));
  }

  @Test
  void anAddressThatIsNotKnownYetIsWarnedOf() {
    var request = creating(pod("{'hostNetwork':true}"));
    var gate = Optional.of(new Gate("PEM", Optional.empty()));
    var outcome = INJECTION.decide(request, migrators("db"), gate);
    assertEquals(1, outcome.warnings().size());
    assertTrue(outcome.warnings().getFirst().contains("address"), outcome::toString);
  }

  @ParameterizedTest
  @CsvSource({
    "ghcr.io/a/b/waiter:1, ghcr.io/a/b/waiter:1, true",
    "mirror/ghcr.io/a/b/waiter:1, ghcr.io/a/b/waiter:1, true",
    "mirror:5000/a/b/waiter:1, ghcr.io/a/b/waiter:1, true",
    "mirror:5000/a/b/waiter:1@sha256:00, ghcr.io/a/b/waiter:1, true",
    "mirror/a/b/waiter@sha256:00, ghcr.io/a/b/waiter:1@sha256:00, true",
    "mirror/a/b/waiter@sha256:01, ghcr.io/a/b/waiter:1@sha256:00, false",
    "mirror/a/b/waiter:1, ghcr.io/a/b/waiter:1@sha256:00, false",
    "docker.io/library/waiter, waiter:latest, true",
    "localhost/waiter, registry:5000/waiter, true",
    "ghcr.io/a/b/waiter:2, ghcr.io/a/b/waiter:1, false",
    "ghcr.io/a/b/waiter, ghcr.io/a/b/waiter:1, false",
    "ghcr.io/a/b/notwaiter:1, ghcr.io/a/b/waiter:1, false",
    "ghcr.io/a/xb/waiter:1, ghcr.io/b/waiter:1, false",
    "'', ghcr.io/a/b/waiter:1, false"
  })
  void anImageIsTheSameThroughAMirror(String present, String original, boolean same) {
    assertEquals(same, MirroredImage.isSame(present, original));
  }

  private static JsonObject waiter(String spec) {
    return initContainer(gated(pod(spec), "db"), "migrate-wait-db");
  }
}
