package net.coderanger.migrations.kube;

import module java.base;

import java.security.cert.X509Certificate;

/**
 * What a service's Secret says, part by part: a part that cannot be read is absent and told in
 * {@code damage}. Whether a part is of use at a given time is for {@link CertificatePolicy} to say.
 *
 * @param ca signs the leaf
 * @param next the CA's successor, published so that clients trust it before it signs
 * @param previous the CA's predecessor, published while a replica may still serve its leaf
 * @param leaf what is served
 * @param damage what could not be read, without key material; empty for an empty Secret
 */
record StoredCertificates(
    Optional<Authority> ca,
    Optional<KeyedCertificate> next,
    Optional<X509Certificate> previous,
    Optional<KeyedCertificate> leaf,
    List<String> damage) {
  static final String LEAF = "tls.crt";
  static final String LEAF_KEY = "tls.key";
  static final String CA = "ca.crt";
  static final String CA_KEY = "ca.key";
  static final String NEXT = "next-ca.crt";
  static final String NEXT_KEY = "next-ca.key";
  static final String PREVIOUS = "previous-ca.crt";

  /** All keys of the Secret that are ours. */
  static final List<String> KEYS = List.of(LEAF, LEAF_KEY, CA, CA_KEY, NEXT, NEXT_KEY, PREVIOUS);

  /** Of no Secret, or an empty one. */
  static final StoredCertificates NONE =
      new StoredCertificates(
          Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), List.of());

  /**
   * The CA that signs.
   *
   * @param key absent when it cannot be read: leaves of the CA can be served, but not made
   */
  record Authority(X509Certificate certificate, Optional<PrivateKey> key) {
    Authority(KeyedCertificate keyed) {
      this(keyed.certificate(), Optional.of(keyed.key()));
    }

    Optional<KeyedCertificate> signing() {
      return key.map(k -> new KeyedCertificate(List.of(certificate), k));
    }

    @Override
    public String toString() {
      return certificate.getSubjectX500Principal().getName();
    }
  }

  StoredCertificates {
    damage = List.copyOf(damage);
  }

  static StoredCertificates parse(Map<String, byte[]> data) {
    var damage = new ArrayList<String>();
    var authority =
        readable(CA, data, damage, () -> Pem.certificates(text(data, CA)).getFirst())
            .map(
                certificate ->
                    new Authority(
                        certificate,
                        readable(
                                CA_KEY,
                                data,
                                damage,
                                () -> KeyedCertificate.parse(text(data, CA), text(data, CA_KEY)))
                            .map(KeyedCertificate::key)));
    var next =
        readable(
            NEXT,
            data,
            damage,
            () -> KeyedCertificate.parse(text(data, NEXT), text(data, NEXT_KEY)));
    var previous =
        readable(PREVIOUS, data, damage, () -> Pem.certificates(text(data, PREVIOUS)).getFirst());
    var leaf =
        readable(
            LEAF,
            data,
            damage,
            () -> KeyedCertificate.parse(text(data, LEAF), text(data, LEAF_KEY)));
    return new StoredCertificates(authority, next, previous, leaf, damage);
  }

  private interface Reader<T> {
    T read() throws CertificateFault;
  }

  private static <T> Optional<T> readable(
      String key, Map<String, byte[]> data, List<String> damage, Reader<T> reader) {
    if (data.getOrDefault(key, new byte[0]).length == 0) {
      return Optional.empty();
    }
    try {
      return Optional.of(reader.read());
    } catch (CertificateFault e) {
      damage.add(key + ": " + e.getMessage());
      return Optional.empty();
    }
  }

  private static String text(Map<String, byte[]> data, String key) {
    return new String(data.getOrDefault(key, new byte[0]), StandardCharsets.UTF_8);
  }

  /** The Secret's data; keys of {@link #KEYS} that are absent here are to be absent there. */
  Map<String, byte[]> data() {
    var texts = new HashMap<String, String>();
    leaf.ifPresent(
        it -> {
          texts.put(LEAF, Pem.of(it.chain()));
          texts.put(LEAF_KEY, Pem.of(it.key()));
        });
    ca.ifPresent(
        it -> {
          texts.put(CA, Pem.of(it.certificate()));
          it.key().ifPresent(key -> texts.put(CA_KEY, Pem.of(key)));
        });
    next.ifPresent(
        it -> {
          texts.put(NEXT, Pem.of(it.certificate()));
          texts.put(NEXT_KEY, Pem.of(it.key()));
        });
    previous.ifPresent(it -> texts.put(PREVIOUS, Pem.of(it)));
    return texts.entrySet().stream()
        .collect(
            Collectors.toMap(
                Map.Entry::getKey, it -> it.getValue().getBytes(StandardCharsets.UTF_8)));
  }

  /** The CAs that clients must trust: the present one, its successor and its predecessor. */
  List<X509Certificate> authorities(Instant now) {
    return Stream.of(
            ca.map(Authority::certificate), next.map(KeyedCertificate::certificate), previous)
        .flatMap(Optional::stream)
        .filter(certificate -> now.isBefore(certificate.getNotAfter().toInstant()))
        .distinct()
        .toList();
  }
}
