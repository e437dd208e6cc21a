package net.coderanger.migrations.injector.core;

import static net.coderanger.migrations.injector.core.Scene.*;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import net.coderanger.migrations.injector.core.KnownMigrator.Unusable;
import net.coderanger.migrations.injector.core.Outcome.Reason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InjectionTest {
  private static final String REQUIRED = "'migrations.coderanger.net/required':'true'";
  private static final String NO_WAIT = "'migrations.coderanger.net/no-wait':'true'";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'containers':[]}",
        "{'initContainers':null,'containers':[]}",
        "{'initContainers':[],'volumes':[],'containers':[]}",
        "{'initContainers':null,'volumes':null}"
      })
  void aPodWithoutInitContainersGetsTheWaiter(String spec) {
    var pod = gated(pod(spec), "db");
    assertEquals(List.of("migrate-wait-db"), initNames(pod));
    assertEquals(List.of("migrate-wait-token", "migrate-wait-marker"), volumeNames(pod));
  }

  @Test
  void theWaiterIsLastAfterProxiesAndOrdinaryInitContainers() {
    var pod =
        pod("{'initContainers':[{'name':'proxy','restartPolicy':'Always'},{'name':'setup'}]}");
    assertEquals(List.of("proxy", "setup", "migrate-wait-db"), initNames(gated(pod, "db")));
  }

  @Test
  void everyMigratorThatSelectsThePodGetsAWaiterInTheOrderOfTheirNames() {
    var pod = gated(pod("{}"), "zoo", "db", "cache");
    assertEquals(
        List.of("migrate-wait-cache", "migrate-wait-db", "migrate-wait-zoo"), initNames(pod));
    assertEquals(2, volumeNames(pod).size());
  }

  @Test
  void aMigratorWithDotsGetsAContainerNameThatIsALabel() {
    var name = initNames(gated(pod("{}"), "a.b")).getFirst();
    assertTrue(name.matches("migrate-wait-a-b-[0-9a-f]{8}"), name);
  }

  @Test
  void aPodThatNobodySelectsIsLeftAlone() {
    assertEquals(Reason.NOT_SELECTED, untouched(decide(pod("{}"))));
    var other = json("{'metadata':{'labels':null},'spec':{}}");
    assertEquals(Reason.NOT_SELECTED, untouched(decide(other, "db")));
  }

  @Test
  void requiredRefusesAPodThatNobodySelects() {
    var message = refused(decide(annotated("{" + REQUIRED + "}")));
    assertTrue(message.startsWith("no migrators found matching pod p in namespace shop"), message);
  }

  @Test
  void requiredLetsASelectedPodWait() {
    var pod = gated(annotated("{" + REQUIRED + "}"), "db");
    assertEquals(List.of("migrate-wait-db"), initNames(pod));
  }

  @Test
  void requiredNamesTheMigratorsWhoseSelectorIsInvalid() {
    var migrators = List.of(new Unusable("b", "no key"), new Unusable("a", "no operator"));
    var request = creating(annotated("{" + REQUIRED + "}"));
    var message = refused(INJECTION.decide(request, migrators, Optional.of(GATE)));
    assertTrue(
        message.endsWith(
            "; the selector of Migrator a is invalid: no operator; the selector of Migrator b is"
                + " invalid: no key"),
        message);
  }

  @Test
  void aMigratorWhoseSelectorIsInvalidSelectsNothing() {
    var outcome =
        INJECTION.decide(creating(pod("{}")), List.of(new Unusable("a", "x")), Optional.of(GATE));
    assertEquals(Reason.NOT_SELECTED, untouched(outcome));
  }

  @Test
  void noWaitLeavesThePodAloneEvenWhenItIsRequired() {
    assertEquals(Reason.NO_WAIT, untouched(decide(annotated("{" + NO_WAIT + "}"), "db")));
    var both = annotated("{" + NO_WAIT + "," + REQUIRED + "}");
    assertEquals(Reason.NO_WAIT, untouched(decide(both)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"false", "", "yes"})
  void anAnnotationThatIsNotTrueIsNone(String value) {
    var pod = annotated("{'migrations.coderanger.net/no-wait':'%s'}".formatted(value));
    assertEquals(List.of("migrate-wait-db"), initNames(gated(pod, "db")));
  }

  @Test
  void aMirrorPodIsLeftAloneEvenWhenItIsRequired() {
    var pod = annotated("{'kubernetes.io/config.mirror':'h'," + REQUIRED + "}");
    assertEquals(Reason.MIRROR_POD, untouched(decide(pod, "db")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"{'os':{'name':'windows'}}", "{'nodeSelector':{'kubernetes.io/os':'windows'}}"})
  void aWindowsPodIsLeftAloneWithAWarning(String spec) {
    var outcome = decide(pod(spec), "db");
    assertEquals(Reason.WINDOWS, untouched(outcome));
    assertEquals(
        List.of("a Windows pod cannot wait for Migrator db: it starts at once"),
        outcome.warnings());
    assertEquals(List.of(), decide(pod(spec)).warnings());
  }

  @Test
  void aWindowsPodThatIsRequiredToWaitIsRefused() {
    var pod = with(annotated("{" + REQUIRED + "}"), "/spec/os", json("{'name':'windows'}"));
    assertTrue(refused(decide(pod, "db")).startsWith("a Windows pod cannot wait for Migrator db"));
  }

  @ParameterizedTest
  @ValueSource(strings = {OPERATOR, "kube-system"})
  void theOperatorsNamespaceAndKubeSystemPass(String namespace) {
    var request = new AdmissionRequest("u", true, namespace, annotated("{" + REQUIRED + "}"));
    var outcome = INJECTION.decide(request, migrators("db"), Optional.empty());
    assertEquals(Reason.EXEMPT_NAMESPACE, untouched(outcome));
  }

  @Test
  void aRegularContainerOfTheWaitersNameIsRefusedSinceTheApiServerWouldRefuseTheDuplicate() {
    var message = refused(decide(pod("{'containers':[{'name':'migrate-wait-db'}]}"), "db"));
    assertTrue(message.contains("migrate-wait-db is reserved"), message);
  }

  @Test
  void aWaiterOfAMigratorThatDoesNotSelectThePodIsWarnedOf() {
    var pod = pod("{'initContainers':[{'name':'migrate-wait-old'}]}");
    var warning =
        "init container migrate-wait-old waits for a Migrator that does not select this pod";
    assertEquals(List.of(warning), decide(pod).warnings());
    assertEquals(List.of(warning), decide(pod, "db").warnings());
  }

  @Test
  void whileTheGateIsNotKnownOnlyPodsThatNeedItFail() {
    var nobody = INJECTION.decide(creating(pod("{}")), List.of(), Optional.empty());
    assertEquals(Reason.NOT_SELECTED, untouched(nobody));
    assertThrows(
        IllegalStateException.class,
        () -> INJECTION.decide(creating(pod("{}")), migrators("db"), Optional.empty()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{'spec':null}",
        "{'spec':[]}",
        "{'spec':{'initContainers':{}}}",
        "{'spec':{'initContainers':[null]}}",
        "{'spec':{'containers':['a']}}",
        "{'spec':{'volumes':'a'}}",
        "{'metadata':[],'spec':{}}",
        "{'metadata':{'labels':{'app':1}},'spec':{}}"
      })
  void whatIsNoPodIsMalformed(String pod) {
    var everything = List.of(new KnownMigrator.Selecting("db", _ -> true));
    assertThrows(
        MalformedReview.class,
        () -> INJECTION.decide(creating(json(pod)), everything, Optional.of(GATE)));
  }
}
