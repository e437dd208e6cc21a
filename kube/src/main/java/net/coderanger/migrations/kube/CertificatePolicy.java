package net.coderanger.migrations.kube;

import module java.base;

import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import net.coderanger.migrations.kube.StoredCertificates.Authority;

/**
 * Decides what must be done about a Secret's certificates. Pure; all replicas decide alike from
 * what they read, so any of them may carry it out.
 *
 * <p>A CA's life: at two thirds its successor is published; when that has been published for a
 * sixth of its own life, or at eleven twelfths, the successor signs and the CA stays published as
 * its predecessor; when the successor's first leaf is renewed, it is forgotten. Waiters keep the
 * CAs that their pod was made with: at the default life of ten years no pod is older than this
 * overlap.
 */
final class CertificatePolicy {
  /**
   * @param stored what the Secret says
   * @param exists whether there is a Secret; its deletion is how people ask for a new CA
   * @param remembered what this replica has read before and found good
   * @param dnsNames that the leaf must carry
   */
  record Input(
      StoredCertificates stored,
      boolean exists,
      Optional<StoredCertificates> remembered,
      List<String> dnsNames,
      Instant now) {}

  /** What becomes of the CA. */
  enum Ca {
    /** It stays as it is. */
    KEEP,
    /** A new one at once, without overlap. */
    CREATE,
    /** The one that this replica remembers is put back. */
    RESTORE,
    /** A successor is made and published. */
    ANNOUNCE,
    /** The successor takes over. */
    PROMOTE,
    /** It stays; the one that this replica has served with until now is published too. */
    REMEMBER
  }

  /** What becomes of the predecessor. */
  enum Previous {
    KEEP,
    FORGET
  }

  /**
   * What to do.
   *
   * @param issueLeaf whether a new leaf is to be made
   * @param repairs what was found broken; worth a warning
   * @param renewals what is due by age
   */
  record Plan(
      Ca ca, boolean issueLeaf, Previous previous, List<String> repairs, List<String> renewals) {
    boolean isNothing() {
      return ca == Ca.KEEP && !issueLeaf && repairs.isEmpty();
    }
  }

  /** A reason why something cannot go on as it is; empty when it can. */
  private interface Check extends Function<Input, Optional<String>> {}

  private static final List<Check> CA_CANNOT_BE_TRUSTED =
      List.of(
          CertificatePolicy::caIsMissing,
          CertificatePolicy::caIsNoAuthority,
          CertificatePolicy::caHasExpired,
          CertificatePolicy::caIsFromTheFuture);

  private static final List<Check> LEAF_CANNOT_SERVE =
      List.of(
          CertificatePolicy::leafIsMissing,
          CertificatePolicy::leafIsOfAnotherCa,
          CertificatePolicy::leafHasExpired,
          CertificatePolicy::leafIsFromTheFuture,
          CertificatePolicy::leafLacksAName,
          CertificatePolicy::leafIsNotForServers);

  private CertificatePolicy() {}

  static Plan decide(Input input) {
    var repairs = new ArrayList<>(input.stored().damage());
    var renewals = new ArrayList<String>();
    var leafBroken = first(LEAF_CANNOT_SERVE, input);
    var leafDue = leafIsDue(input);
    var ca = ca(input, leafBroken.isPresent() || leafDue.isPresent(), repairs, renewals);
    return switch (ca) {
      case CREATE, PROMOTE -> new Plan(ca, true, Previous.KEEP, repairs, renewals);
      case RESTORE -> {
        var restored = first(LEAF_CANNOT_SERVE, restored(input)).or(() -> leafDue);
        restored.ifPresent(repairs::add);
        yield new Plan(ca, restored.isPresent(), Previous.KEEP, repairs, renewals);
      }
      case KEEP, ANNOUNCE, REMEMBER -> {
        leafBroken.ifPresentOrElse(repairs::add, () -> leafDue.ifPresent(renewals::add));
        var issue = leafBroken.isPresent() || leafDue.isPresent();
        var forget = leafBroken.isEmpty() && leafDue.isPresent() && ca != Ca.REMEMBER;
        yield new Plan(ca, issue, forget ? Previous.FORGET : Previous.KEEP, repairs, renewals);
      }
    };
  }

  private static Ca ca(
      Input input, boolean leafIsWanted, List<String> repairs, List<String> renewals) {
    var nextIsUsable = nextIsUsable(input);
    var distrust = first(CA_CANNOT_BE_TRUSTED, input);
    if (distrust.isPresent()) {
      if (input.exists()) {
        repairs.add(distrust.get());
      }
      if (nextIsUsable) {
        return Ca.PROMOTE;
      }
      return input.exists() && rememberedCaSigns(input) ? Ca.RESTORE : Ca.CREATE;
    }
    var authority = input.stored().ca().orElseThrow();
    if (authority.key().isEmpty()) {
      if (nextIsUsable && !leafIsWanted) {
        return Ca.KEEP; // nothing to sign until then
      }
      repairs.add("there is no key of the CA");
      if (rememberedCaSigns(input)
          && rememberedCa(input).equals(Optional.of(authority.certificate()))) {
        return Ca.RESTORE;
      }
      if (leafIsWanted) {
        return nextIsUsable ? Ca.PROMOTE : Ca.CREATE;
      }
      return Ca.ANNOUNCE;
    }
    if (nextIsUsable && successionIsDue(input)) {
      renewals.add("the CA's successor has been published for long enough");
      return Ca.PROMOTE;
    }
    if (!nextIsUsable && hasLived(authority.certificate(), 2, 3, input.now())) {
      renewals.add("the CA nears its end");
      return Ca.ANNOUNCE;
    }
    if (servedCaIsUnpublished(input)) {
      repairs.add("the Secret holds another CA than the one in use");
      return Ca.REMEMBER;
    }
    return Ca.KEEP;
  }

  /** What the Secret will hold when the plan has been carried out. */
  static StoredCertificates carriedOut(Plan plan, Input input, Issuer issuer) {
    var stored = input.stored();
    var now = input.now();
    var replaced =
        stored
            .ca()
            .map(Authority::certificate)
            .filter(it -> isAuthority(it) && now.isBefore(end(it)))
            .or(() -> rememberedCa(input).filter(it -> now.isBefore(end(it))));
    var kept =
        plan.previous() == Previous.FORGET ? Optional.<X509Certificate>empty() : stored.previous();
    var changed =
        switch (plan.ca()) {
          case KEEP -> with(stored, stored.ca(), stored.next(), kept);
          case CREATE ->
              with(
                  stored,
                  Optional.of(new Authority(issuer.authority(now))),
                  Optional.empty(),
                  replaced);
          case RESTORE ->
              with(stored, input.remembered().flatMap(StoredCertificates::ca), stored.next(), kept);
          case ANNOUNCE -> with(stored, stored.ca(), Optional.of(issuer.authority(now)), kept);
          case PROMOTE ->
              with(stored, stored.next().map(Authority::new), Optional.empty(), replaced);
          case REMEMBER -> with(stored, stored.ca(), stored.next(), rememberedCa(input));
        };
    if (!plan.issueLeaf()) {
      return changed;
    }
    var leaf = changed.ca().flatMap(Authority::signing).map(ca -> issuer.leaf(ca, now));
    return new StoredCertificates(
        changed.ca(), changed.next(), changed.previous(), leaf, List.of());
  }

  private static StoredCertificates with(
      StoredCertificates stored,
      Optional<Authority> ca,
      Optional<KeyedCertificate> next,
      Optional<X509Certificate> previous) {
    return new StoredCertificates(ca, next, previous, stored.leaf(), List.of());
  }

  /** Why the leaf cannot be served now; empty when it can. */
  static Optional<String> cannotServe(Input input) {
    return first(LEAF_CANNOT_SERVE, input);
  }

  private static Optional<String> first(List<Check> checks, Input input) {
    return checks.stream().map(check -> check.apply(input)).flatMap(Optional::stream).findFirst();
  }

  private static Optional<String> caIsMissing(Input input) {
    return input.stored().ca().isEmpty() ? Optional.of("there is no CA") : Optional.empty();
  }

  private static Optional<String> caIsNoAuthority(Input input) {
    return input.stored().ca().filter(it -> !isAuthority(it.certificate())).isPresent()
        ? Optional.of("ca.crt is no CA's certificate")
        : Optional.empty();
  }

  private static Optional<String> caHasExpired(Input input) {
    return input
        .stored()
        .ca()
        .map(it -> end(it.certificate()))
        .filter(end -> !input.now().isBefore(end))
        .map(end -> "the CA has expired at " + end);
  }

  private static Optional<String> caIsFromTheFuture(Input input) {
    return input
        .stored()
        .ca()
        .map(it -> it.certificate().getNotBefore().toInstant())
        .filter(begin -> input.now().isBefore(begin))
        .map(begin -> "the CA is not valid before " + begin);
  }

  private static Optional<String> leafIsMissing(Input input) {
    return input.stored().leaf().isEmpty() ? Optional.of("there is no leaf") : Optional.empty();
  }

  private static Optional<String> leafIsOfAnotherCa(Input input) {
    var issued =
        input.stored().ca().filter(ca -> isIssuedBy(leaf(input), ca.certificate())).isPresent();
    return issued ? Optional.empty() : Optional.of("tls.crt was not issued by ca.crt");
  }

  private static Optional<String> leafHasExpired(Input input) {
    var end = end(leaf(input));
    return input.now().isBefore(end)
        ? Optional.empty()
        : Optional.of("tls.crt has expired at " + end);
  }

  private static Optional<String> leafIsFromTheFuture(Input input) {
    var begin = leaf(input).getNotBefore().toInstant();
    return input.now().isBefore(begin)
        ? Optional.of("tls.crt is not valid before " + begin)
        : Optional.empty();
  }

  private static Optional<String> leafLacksAName(Input input) {
    var names = dnsNames(leaf(input));
    return input.dnsNames().stream()
        .filter(name -> !names.contains(name))
        .findFirst()
        .map(name -> "tls.crt lacks the name " + name);
  }

  private static Optional<String> leafIsNotForServers(Input input) {
    try {
      var usages = leaf(input).getExtendedKeyUsage();
      return usages == null || usages.contains(SERVER_AUTH)
          ? Optional.empty()
          : Optional.of("tls.crt is not for servers");
    } catch (CertificateException _) {
      return Optional.of("tls.crt has an unreadable extended key usage");
    }
  }

  /** id-kp-serverAuth, RFC 5280 4.2.1.12. */
  private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";

  private static Optional<String> leafIsDue(Input input) {
    return input
        .stored()
        .leaf()
        .filter(leaf -> hasLived(leaf.certificate(), 2, 3, input.now()))
        .map(leaf -> "tls.crt expires at " + end(leaf.certificate()));
  }

  private static boolean nextIsUsable(Input input) {
    return input
        .stored()
        .next()
        .map(KeyedCertificate::certificate)
        .filter(next -> isAuthority(next) && input.now().isBefore(end(next)))
        .isPresent();
  }

  private static boolean successionIsDue(Input input) {
    return hasLived(input.stored().next().orElseThrow().certificate(), 1, 6, input.now())
        || hasLived(input.stored().ca().orElseThrow().certificate(), 11, 12, input.now());
  }

  private static Optional<X509Certificate> rememberedCa(Input input) {
    return input.remembered().flatMap(StoredCertificates::ca).map(Authority::certificate);
  }

  private static boolean rememberedCaSigns(Input input) {
    return input
        .remembered()
        .flatMap(StoredCertificates::ca)
        .flatMap(Authority::signing)
        .filter(it -> input.now().isBefore(end(it.certificate())))
        .isPresent();
  }

  /** Another replica, which did not know our CA, has made a new one. */
  private static boolean servedCaIsUnpublished(Input input) {
    return input.stored().previous().isEmpty()
        && rememberedCa(input)
            .filter(it -> input.now().isBefore(end(it)))
            .filter(it -> !input.stored().authorities(input.now()).contains(it))
            .isPresent();
  }

  private static Input restored(Input input) {
    var stored = input.stored();
    return new Input(
        with(
            stored,
            input.remembered().flatMap(StoredCertificates::ca),
            stored.next(),
            stored.previous()),
        input.exists(),
        input.remembered(),
        input.dnsNames(),
        input.now());
  }

  private static X509Certificate leaf(Input input) {
    return input.stored().leaf().orElseThrow().certificate();
  }

  private static boolean hasLived(X509Certificate certificate, int parts, int of, Instant now) {
    var begin = certificate.getNotBefore().toInstant();
    var life = Duration.between(begin, end(certificate));
    return !now.isBefore(begin.plus(life.multipliedBy(parts).dividedBy(of)));
  }

  private static Instant end(X509Certificate certificate) {
    return certificate.getNotAfter().toInstant();
  }

  private static boolean isAuthority(X509Certificate certificate) {
    return certificate.getBasicConstraints() >= 0;
  }

  private static boolean isIssuedBy(X509Certificate certificate, X509Certificate authority) {
    try {
      certificate.verify(authority.getPublicKey());
      return certificate.getIssuerX500Principal().equals(authority.getSubjectX500Principal());
    } catch (GeneralSecurityException _) {
      return false;
    }
  }

  private static Set<String> dnsNames(X509Certificate certificate) {
    try {
      var names = certificate.getSubjectAlternativeNames();
      return names == null
          ? Set.of()
          : names.stream()
              .filter(name -> name.getFirst().equals(DNS_NAME))
              .map(name -> (String) name.getLast())
              .collect(Collectors.toSet());
    } catch (CertificateException _) {
      return Set.of();
    }
  }

  /** GeneralName's choice dNSName, RFC 5280 4.2.1.6. */
  private static final Integer DNS_NAME = 2;
}
