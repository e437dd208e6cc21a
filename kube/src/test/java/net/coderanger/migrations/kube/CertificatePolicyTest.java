package net.coderanger.migrations.kube;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import java.security.cert.X509Certificate;
import net.coderanger.migrations.kube.CertificatePolicy.Ca;
import net.coderanger.migrations.kube.CertificatePolicy.Input;
import net.coderanger.migrations.kube.CertificatePolicy.Plan;
import net.coderanger.migrations.kube.CertificatePolicy.Previous;
import net.coderanger.migrations.kube.StoredCertificates.Authority;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class CertificatePolicyTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  private static final Duration LEAF = Duration.ofDays(7);
  private static final Duration CA = Duration.ofDays(3650);
  private static final TlsSettings SETTINGS = settings("hook", "hook.ns", "hook.ns.svc");
  private static final Issuer ISSUER = new Issuer(SETTINGS);

  private static final KeyedCertificate AUTHORITY = ISSUER.authority(START);
  private static final KeyedCertificate OTHER = ISSUER.authority(START);
  private static final StoredCertificates GOOD = new Content(AUTHORITY).stored();

  private record Case(
      String sentence,
      StoredCertificates stored,
      Optional<StoredCertificates> remembered,
      Duration age,
      Ca ca,
      boolean leaf) {}

  @TestFactory
  Stream<DynamicTest> decisions() {
    var keyless = new Content(AUTHORITY).keyless();
    return Stream.of(
            fresh("a good Secret stays", GOOD, Ca.KEEP, false),
            fresh("an empty Secret is filled", StoredCertificates.NONE, Ca.CREATE, true),
            fresh("a missing leaf is issued", new Content(AUTHORITY).leaf(null), Ca.KEEP, true),
            fresh(
                "a leaf of another CA is replaced",
                new Content(AUTHORITY).leaf(ISSUER.leaf(OTHER, START)),
                Ca.KEEP,
                true),
            fresh(
                "a leaf that lacks a name is replaced",
                new Content(AUTHORITY)
                    .leaf(new Issuer(settings("hook", "hook.ns")).leaf(AUTHORITY, START)),
                Ca.KEEP,
                true),
            fresh(
                "a leaf from the future is replaced",
                new Content(AUTHORITY).leaf(ISSUER.leaf(AUTHORITY, START.plus(Duration.ofDays(1)))),
                Ca.KEEP,
                true),
            fresh(
                "a CA from the future is replaced",
                new Content(ISSUER.authority(START.plus(Duration.ofDays(1)))).leaf(null),
                Ca.CREATE,
                true),
            fresh(
                "a leaf in the CA's place is replaced",
                new Content(ISSUER.leaf(AUTHORITY, START)).leaf(null),
                Ca.CREATE,
                true),
            aged(
                "a leaf before two thirds stays",
                GOOD,
                LEAF.multipliedBy(65).dividedBy(100),
                Ca.KEEP,
                false),
            aged(
                "a leaf past two thirds is renewed",
                GOOD,
                LEAF.multipliedBy(67).dividedBy(100),
                Ca.KEEP,
                true),
            aged("an expired leaf is replaced", GOOD, LEAF.plusDays(1), Ca.KEEP, true),
            aged("a CA before two thirds stays alone", at(AUTHORITY, 65), ca(65), Ca.KEEP, false),
            aged(
                "a CA past two thirds gets a successor",
                at(AUTHORITY, 67),
                ca(67),
                Ca.ANNOUNCE,
                false),
            aged(
                "a successor waits until it is known",
                new Content(AUTHORITY).leafAt(80).next(67).stored(),
                ca(80),
                Ca.KEEP,
                false),
            aged(
                "a known successor takes over",
                new Content(AUTHORITY).leafAt(84).next(67).stored(),
                ca(84),
                Ca.PROMOTE,
                true),
            aged(
                "a successor made late takes over before the end",
                new Content(AUTHORITY).leafAt(92).next(90).stored(),
                ca(92),
                Ca.PROMOTE,
                true),
            aged(
                "an expired CA is followed by its successor",
                new Content(AUTHORITY).next(90).stored(),
                ca(101),
                Ca.PROMOTE,
                true),
            aged("an expired CA without successor is replaced", GOOD, ca(101), Ca.CREATE, true),
            fresh("a CA without key gets a successor", keyless, Ca.ANNOUNCE, false),
            aged(
                "a CA without key goes when its leaf is due",
                keyless,
                LEAF.multipliedBy(67).dividedBy(100),
                Ca.CREATE,
                true),
            fresh(
                "a CA without key and with a successor serves on",
                new Content(AUTHORITY).next(0).keyless(),
                Ca.KEEP,
                false),
            aged(
                "a CA without key is followed when its leaf is due",
                new Content(AUTHORITY).next(0).keyless(),
                LEAF.multipliedBy(67).dividedBy(100),
                Ca.PROMOTE,
                true),
            remembering("a lost CA key is put back", keyless, Ca.RESTORE, false),
            remembering(
                "a lost CA is put back, its leaf stays",
                new Content(AUTHORITY).ca(Optional.empty()),
                Ca.RESTORE,
                false),
            remembering(
                "of an emptied Secret only the leaf is made anew",
                StoredCertificates.NONE,
                Ca.RESTORE,
                true),
            remembering(
                "another CA is served only beside the one in use",
                new Content(OTHER).stored(),
                Ca.REMEMBER,
                false))
        .map(
            test ->
                DynamicTest.dynamicTest(
                    test.sentence(),
                    () -> {
                      var input =
                          input(test.stored(), true, test.remembered(), START.plus(test.age()));
                      var plan = CertificatePolicy.decide(input);
                      assertEquals(test.ca(), plan.ca(), plan::toString);
                      assertEquals(test.leaf(), plan.issueLeaf(), plan::toString);
                      settles(plan, input);
                    }));
  }

  /** What was carried out can be served, is complete, and leaves nothing to do. */
  private static StoredCertificates settles(Plan plan, Input input) {
    var done = StoredCertificates.parse(CertificatePolicy.carriedOut(plan, input, ISSUER).data());
    var again = input(done, true, Optional.of(done), input.now());
    assertEquals(Optional.empty(), CertificatePolicy.cannotServe(again));
    assertEquals(List.of(), done.damage());
    var next = CertificatePolicy.decide(again);
    // A CA that was put in after its prime asks for its successor at once.
    assertTrue(next.isNothing() || next.ca() == Ca.ANNOUNCE, next::toString);
    return done;
  }

  @Test
  void aDeletedSecretIsNotPutBackButItsCaStaysPublished() {
    var input = input(StoredCertificates.NONE, false, Optional.of(GOOD), START);
    var plan = CertificatePolicy.decide(input);
    assertEquals(Ca.CREATE, plan.ca());
    assertEquals(List.of(), plan.repairs());
    var done = settles(plan, input);
    assertEquals(Optional.of(AUTHORITY.certificate()), done.previous());
  }

  @Test
  void thePredecessorIsForgottenWithItsSuccessorsFirstRenewal() {
    var stored = new Content(AUTHORITY).previous(OTHER.certificate());
    assertEquals(2, stored.authorities(START).size());
    var input =
        input(stored, true, Optional.of(stored), START.plus(LEAF.multipliedBy(67).dividedBy(100)));
    var plan = CertificatePolicy.decide(input);
    assertEquals(Previous.FORGET, plan.previous());
    assertEquals(Optional.empty(), settles(plan, input).previous());
  }

  @Test
  void thePredecessorOutlivesTheRepairOfALeaf() {
    var stored =
        new StoredCertificates(
            GOOD.ca(),
            Optional.empty(),
            Optional.of(OTHER.certificate()),
            Optional.empty(),
            List.of());
    var input = input(stored, true, Optional.empty(), START);
    assertTrue(settles(CertificatePolicy.decide(input), input).previous().isPresent());
  }

  @Test
  void everyLeafIsOfACaThatWasPublishedBeforeIt() {
    var stored = GOOD;
    var published = Set.<X509Certificate>of(AUTHORITY.certificate());
    var authorities = new HashSet<X509Certificate>();
    var end = START.plus(CA.multipliedBy(3));
    for (var now = START; now.isBefore(end); now = now.plus(Duration.ofDays(2))) {
      var input = input(stored, true, Optional.of(stored), now);
      var plan = CertificatePolicy.decide(input);
      assertEquals(List.of(), plan.repairs(), now::toString);
      if (!plan.isNothing()) {
        stored = CertificatePolicy.carriedOut(plan, input, ISSUER);
      }
      var ca = stored.ca().orElseThrow().certificate();
      assertTrue(published.contains(ca), now::toString);
      assertEquals(
          Optional.empty(),
          CertificatePolicy.cannotServe(input(stored, true, Optional.of(stored), now)));
      published = Set.copyOf(stored.authorities(now));
      authorities.add(ca);
    }
    assertTrue(authorities.size() >= 4, () -> authorities.size() + " CAs in 30 years");
  }

  @Test
  void whateverIsGarbledIsMadeWholeInOneStep() {
    var seed = new SecureRandom().nextLong();
    var random = new Random(seed);
    var data = new Content(AUTHORITY).next(0).previous(OTHER.certificate()).data();
    var keys = List.copyOf(data.keySet());
    for (var round = 0; round < 200; round++) {
      var garbled = new HashMap<>(data);
      for (var key : keys) {
        switch (random.nextInt(6)) {
          case 0 -> garbled.remove(key);
          case 1 -> garbled.put(key, new byte[] {(byte) random.nextInt(), 0, 7});
          case 2 -> garbled.put(key, data.get(keys.get(random.nextInt(keys.size()))));
          case 3 -> garbled.put(key, Arrays.copyOf(data.get(key), random.nextInt(200)));
          default -> {}
        }
      }
      var message = "seed %d, round %d".formatted(seed, round);
      var stored = StoredCertificates.parse(garbled);
      var remembered =
          random.nextBoolean() ? Optional.of(GOOD) : Optional.<StoredCertificates>empty();
      var input = input(stored, true, remembered, START);
      var plan = CertificatePolicy.decide(input);
      var result = plan.isNothing() ? stored : CertificatePolicy.carriedOut(plan, input, ISSUER);
      var again = input(result, true, Optional.of(result), START);
      assertEquals(Optional.empty(), CertificatePolicy.cannotServe(again), message);
      assertTrue(CertificatePolicy.decide(again).isNothing(), message);
      for (var told : plan.repairs()) {
        assertFalse(told.contains("BEGIN"), message);
      }
    }
  }

  /** Builds a Secret's content around a CA. */
  private record Content(
      KeyedCertificate authority, KeyedCertificate leaf, Optional<KeyedCertificate> successor) {
    Content(KeyedCertificate authority) {
      this(
          authority,
          authority == AUTHORITY || authority == OTHER ? ISSUER.leaf(authority, START) : null,
          Optional.empty());
    }

    /** A leaf made when the CA had lived so many hundredths of its life. */
    Content leafAt(int hundredths) {
      return new Content(
          authority,
          ISSUER.leaf(authority, START.plus(CertificatePolicyTest.ca(hundredths))),
          successor);
    }

    Content next(int hundredths) {
      return new Content(
          authority,
          leaf,
          Optional.of(ISSUER.authority(START.plus(CertificatePolicyTest.ca(hundredths)))));
    }

    StoredCertificates stored() {
      return stored(Optional.of(new Authority(authority)), Optional.of(leaf), Optional.empty());
    }

    StoredCertificates leaf(KeyedCertificate other) {
      return stored(
          Optional.of(new Authority(authority)), Optional.ofNullable(other), Optional.empty());
    }

    StoredCertificates ca(Optional<Authority> other) {
      return stored(other, Optional.of(leaf), Optional.empty());
    }

    StoredCertificates keyless() {
      return ca(Optional.of(new Authority(authority.certificate(), Optional.empty())));
    }

    StoredCertificates previous(X509Certificate previous) {
      return stored(
          Optional.of(new Authority(authority)), Optional.of(leaf), Optional.of(previous));
    }

    private StoredCertificates stored(
        Optional<Authority> ca,
        Optional<KeyedCertificate> served,
        Optional<X509Certificate> previous) {
      return new StoredCertificates(ca, successor, previous, served, List.of());
    }
  }

  private static StoredCertificates at(KeyedCertificate authority, int hundredths) {
    return new Content(authority).leafAt(hundredths).stored();
  }

  private static Duration ca(int hundredths) {
    return CA.multipliedBy(hundredths).dividedBy(100);
  }

  private static Case fresh(String sentence, StoredCertificates stored, Ca ca, boolean leaf) {
    return aged(sentence, stored, Duration.ZERO, ca, leaf);
  }

  private static Case aged(
      String sentence, StoredCertificates stored, Duration age, Ca ca, boolean leaf) {
    return new Case(sentence, stored, Optional.empty(), age, ca, leaf);
  }

  private static Case remembering(String sentence, StoredCertificates stored, Ca ca, boolean leaf) {
    return new Case(sentence, stored, Optional.of(GOOD), Duration.ZERO, ca, leaf);
  }

  private static Input input(
      StoredCertificates stored,
      boolean exists,
      Optional<StoredCertificates> remembered,
      Instant now) {
    return new Input(stored, exists, remembered, SETTINGS.dnsNames(), now);
  }

  private static TlsSettings settings(String... names) {
    return new TlsSettings(
        TlsSettings.Mode.SELF_MANAGED,
        Path.of("/none"),
        "ns",
        "hook-tls",
        List.of(names),
        Duration.ofSeconds(10),
        LEAF,
        CA);
  }
}
