package net.coderanger.migrations.controller.gate;

import module java.base;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.kubernetes.client.openapi.ApiException;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.controller.shell.Api;
import net.coderanger.migrations.kube.Recurring;

/**
 * Asks the API server whose a token is. Reviews of one token at the same time are one, and a pod
 * that comes again within seconds is known. That the pod still lives is looked at each time, not
 * here.
 */
final class TokenReviews {
  private static final System.Logger LOG = System.getLogger(TokenReviews.class.getName());
  private static final String PATH = "/apis/authentication.k8s.io/v1/tokenreviews";
  private static final String ACCOUNT = "system:serviceaccount:";
  // https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
  private static final String POD_NAME = "authentication.kubernetes.io/pod-name";
  private static final String POD_UID = "authentication.kubernetes.io/pod-uid";
  private static final int LONGEST_TOKEN = 16 * 1024;

  private final Recurring reviewing = new Recurring(LOG, "Tokens are reviewed again");
  private final Api api;
  private final Duration memory;

  /** By the token's hash: a token is kept no longer than it is needed. */
  private final Map<String, CompletableFuture<Caller>> underWay = new ConcurrentHashMap<>();

  private final SequencedMap<String, Known> known = new LinkedHashMap<>();

  private record Known(Caller.Pod pod, long reviewed) {}

  /**
   * Reviews through this.
   *
   * @param memory how long an answer serves
   */
  TokenReviews(Api api, Duration memory) {
    this.api = api;
    this.memory = memory;
  }

  /** Whose token this is. */
  Caller review(String token) {
    if (token.isEmpty() || token.length() > LONGEST_TOKEN) {
      return new Caller.Refused(401, "a bearer token is needed");
    }
    var hash = hash(token);
    var remembered = remembered(hash);
    if (remembered.isPresent()) {
      return remembered.get();
    }
    var mine = new CompletableFuture<Caller>();
    var first = underWay.putIfAbsent(hash, mine);
    if (first != null) {
      return first.join();
    }
    Caller answer = new Caller.Refused(503, "the token could not be reviewed");
    try {
      answer = ask(token);
      if (answer instanceof Caller.Pod pod) {
        remember(hash, pod);
      }
      return answer;
    } finally {
      underWay.remove(hash);
      mine.complete(answer);
    }
  }

  private Optional<Caller.Pod> remembered(String hash) {
    synchronized (known) {
      return Optional.ofNullable(known.get(hash)).filter(this::serves).map(Known::pod);
    }
  }

  private void remember(String hash, Caller.Pod pod) {
    synchronized (known) {
      while (!known.isEmpty() && !serves(known.firstEntry().getValue())) {
        known.pollFirstEntry();
      }
      known.putLast(hash, new Known(pod, System.nanoTime()));
    }
  }

  private boolean serves(Known answer) {
    return System.nanoTime() - answer.reviewed < memory.toNanos();
  }

  private static String hash(String token) {
    try {
      var sha = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(sha.digest(token.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has it", e);
    }
  }

  private Caller ask(String token) {
    try {
      var review = api.create(PATH, review(List.of(Vocabulary.AUDIENCE), token));
      reviewing.succeeded();
      return caller(review);
    } catch (ApiException e) {
      reviewing.failed("TokenReview failed", e);
      return new Caller.Refused(503, "the API server did not review the token");
    }
  }

  private static JsonObject review(List<String> audiences, String token) {
    var array = new JsonArray();
    audiences.forEach(array::add);
    var spec = new JsonObject();
    spec.addProperty("token", token);
    spec.add("audiences", array);
    var review = new JsonObject();
    review.addProperty("apiVersion", "authentication.k8s.io/v1");
    review.addProperty("kind", "TokenReview");
    review.add("spec", spec);
    return review;
  }

  private static Caller caller(JsonObject review) {
    var status = child(review, "status");
    if (!status.has("authenticated") || !status.get("authenticated").getAsBoolean()) {
      return new Caller.Refused(401, "the token is not valid for this service");
    }
    if (!strings(status.get("audiences")).contains(Vocabulary.AUDIENCE)) {
      // An API server that does not know audiences would let every token pass.
      return new Caller.Refused(401, "the token is not meant for this service");
    }
    var user = child(status, "user");
    var name = user.has("username") ? user.get("username").getAsString() : "";
    var parts = name.startsWith(ACCOUNT) ? name.substring(ACCOUNT.length()).split(":") : null;
    var extra = child(user, "extra");
    var pod = strings(extra.get(POD_NAME));
    var uid = strings(extra.get(POD_UID));
    if (parts == null || parts.length != 2 || pod.size() != 1 || uid.size() != 1) {
      return new Caller.Refused(403, "the token is not bound to a pod");
    }
    return new Caller.Pod(parts[0], pod.getFirst(), uid.getFirst());
  }

  private static JsonObject child(JsonObject parent, String name) {
    return parent.has(name) && parent.get(name).isJsonObject()
        ? parent.getAsJsonObject(name)
        : new JsonObject();
  }

  private static List<String> strings(JsonElement element) {
    return element != null && element.isJsonArray()
        ? element.getAsJsonArray().asList().stream().map(JsonElement::getAsString).toList()
        : List.of();
  }
}
