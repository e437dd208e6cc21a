package net.coderanger.migrations.injector.core;

import static net.coderanger.migrations.injector.core.Scene.*;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonValue;
import net.coderanger.migrations.injector.core.Outcome.Patch;
import net.coderanger.migrations.injector.core.Outcome.Reason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A pod that carries waiters already: a second call, a copy, a spoof. */
class ReinvocationTest {
  private static final JsonObject GATED = gated(pod("{'initContainers':[{'name':'a'}]}"), "db");
  private static final String WAITER = "/spec/initContainers/1";

  @Test
  void aGatedPodIsLeftAsItIs() {
    assertEquals(Reason.ALREADY_GATED, untouched(decide(GATED, "db")));
  }

  @Test
  void theApiServersDefaultsAndOthersChangesThatDoNoHarmAreTolerated() {
    var pod = with(GATED, WAITER + "/imagePullPolicy", "IfNotPresent");
    pod = with(pod, WAITER + "/terminationMessagePath", "/dev/termination-log");
    pod = with(pod, WAITER + "/resources", json("{'limits':{'cpu':'1'}}"));
    pod = with(pod, WAITER + "/securityContext/seLinuxOptions", json("{'level':'s0'}"));
    pod = with(pod, WAITER + "/command", JsonValue.EMPTY_JSON_ARRAY);
    pod =
        with(
            pod,
            WAITER + "/image",
            "mirror.corp:5000/ghcr/coderanger/migrations-operator/waiter:1.0");
    pod = with(pod, "/spec/volumes/0/projected/defaultMode", Json.createValue(420));
    assertEquals(Reason.ALREADY_GATED, untouched(decide(pod, "db")));
  }

  @Test
  void theWaiterMovesToTheEndAsItStandsWhenAnotherWebhookAppendedAfterIt() {
    var mirrored = "mirror.corp/coderanger/migrations-operator/waiter:1.0";
    var pod = with(GATED, WAITER + "/image", mirrored);
    pod = with(pod, "/spec/initContainers/-", json("{'name':'late'}"));
    var moved = gated(pod, "db");
    assertEquals(List.of("a", "late", "migrate-wait-db"), initNames(moved));
    assertEquals(mirrored, initContainer(moved, "migrate-wait-db").getString("image"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '#',
      value = {
        "command; ['true']",
        "args; ['--version']",
        "env; []",
        "env; [{'name':'WAITER_MIGRATOR','value':'other'}]",
        "envFrom; [{'configMapRef':{'name':'a'}}]",
        "volumeMounts; []",
        "volumeMounts;"
            + " [{'name':'kube-api-access-x','mountPath':'/var/run/secrets/kubernetes.io/serviceaccount'}]",
        "restartPolicy; 'Always'",
        "lifecycle; {'postStart':{}}",
        "image; 'busybox'",
        "image; 'ghcr.io/coderanger/migrations-operator/waiter:0.9'",
        "securityContext; {'runAsUser':0}",
        "securityContext; null"
      })
  void aSpoofIsReplacedByTheRealOne(String member, String value) {
    var spoof = with(GATED, WAITER + "/" + member, json("{'v':" + value + "}").get("v"));
    assertEquals(
        initContainer(GATED, "migrate-wait-db"),
        initContainer(gated(spoof, "db"), "migrate-wait-db"));
  }

  @Test
  void aSpoofThatIsNotLastIsReplacedAtTheEnd() {
    var pod = pod("{'initContainers':[{'name':'migrate-wait-db','image':'busybox'},{'name':'a'}]}");
    assertEquals(GATED.getJsonObject("spec"), gated(pod, "db").getJsonObject("spec"));
  }

  @Test
  void doublesOfTheWaiterBecomeOne() {
    var pod = with(GATED, "/spec/initContainers/-", initContainer(GATED, "migrate-wait-db"));
    assertEquals(List.of("a", "migrate-wait-db"), initNames(gated(pod, "db")));
  }

  @Test
  void aSecondMigratorIsAddedInOrder() {
    assertEquals(
        List.of("a", "migrate-wait-cache", "migrate-wait-db"),
        initNames(gated(GATED, "cache", "db")));
  }

  @Test
  void aCopyWithAStaleCaAndAddressGetsTheWaiterOfToday() {
    var gate = new Gate("OTHER PEM", Optional.of("10.96.0.8"));
    var pod = gated(pod("{'hostNetwork':true}"), "db");
    var outcome = INJECTION.decide(creating(pod), migrators("db"), Optional.of(gate));
    var environment = initContainer(applied(pod, outcome), "migrate-wait-db").get("env").toString();
    assertTrue(environment.contains("OTHER PEM") && environment.contains("10.96.0.8"), environment);
    assertFalse(environment.contains("10.96.0.7"), environment);
  }

  @Test
  void aCopyWithAStaleTokenVolumeGetsAFreshOneUnderAFreeName() {
    var path = "/spec/volumes/0/projected/sources/0/serviceAccountToken/audience";
    var pod = gated(with(GATED, path, "old"), "db");
    assertEquals(
        List.of("migrate-wait-token", "migrate-wait-marker", "migrate-wait-token-2"),
        volumeNames(pod));
    assertTrue(mounts(pod).contains("migrate-wait-token-2"));
    assertEquals(Reason.ALREADY_GATED, untouched(decide(pod, "db")));
  }

  @Test
  void theUsersVolumesOfOurNamesStay() {
    var volumes =
        "[{'name':'migrate-wait-token','hostPath':{'path':'/'}},{'name':'migrate-wait-marker','emptyDir':{'medium':'Memory'}},{'name':'migrate-wait-marker-2'}]";
    var pod = gated(pod("{'volumes':" + volumes + "}"), "db");
    assertEquals(
        List.of("migrate-wait-token-2", "migrate-wait-marker-3"), volumeNames(pod).subList(3, 5));
    assertEquals(Reason.ALREADY_GATED, untouched(decide(pod, "db")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "{'initContainers':[{'name':'a'}],'volumes':[{'name':'v'}]}"})
  void aFreshPodIsOnlyAddedTo(String spec) {
    var patch = assertInstanceOf(Patch.class, decide(pod(spec), "b", "a"));
    patch.operations().forEach(it -> assertEquals("add", it.asJsonObject().getString("op")));
  }

  private static String mounts(JsonObject pod) {
    return initContainer(pod, "migrate-wait-db").getJsonArray("volumeMounts").toString();
  }
}
