package net.coderanger.migrations.controller.gate;

import module java.base;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.kubernetes.client.openapi.ApiException;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.controller.shell.Api;
import net.coderanger.migrations.controller.shell.ApiErrors;

/**
 * Asks the API server whose a token is. A thousand waiters at once must not become a storm: at most
 * so many reviews run at a time, and those of one token are one.
 */
final class TokenReviews {
  private static final System.Logger LOG = System.getLogger(TokenReviews.class.getName());
  private static final String PATH = "/apis/authentication.k8s.io/v1/tokenreviews";
  private static final String ACCOUNT = "system:serviceaccount:";
  // https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
  private static final String POD_NAME = "authentication.kubernetes.io/pod-name";
  private static final String POD_UID = "authentication.kubernetes.io/pod-uid";
  private static final int LONGEST_TOKEN = 16 * 1024;

  private final Api api;
  private final Semaphore places;
  private final Duration patience;
  private final Map<String, CompletableFuture<Caller>> underWay = new ConcurrentHashMap<>();

  /**
   * Reviews through this.
   *
   * @param atOnce most reviews at a time
   * @param patience how long a caller waits for its turn before it is told to come again
   */
  TokenReviews(Api api, int atOnce, Duration patience) {
    this.api = api;
    this.patience = patience;
    places = new Semaphore(atOnce);
  }

  /** Whose token this is. */
  Caller review(String token) throws InterruptedException {
    if (token.isEmpty() || token.length() > LONGEST_TOKEN) {
      return new Caller.Refused(401, "a bearer token is needed");
    }
    var mine = new CompletableFuture<Caller>();
    var first = underWay.putIfAbsent(token, mine);
    if (first != null) {
      return first.join();
    }
    Caller answer = new Caller.Refused(503, "the token could not be reviewed");
    try {
      answer = inTurn(token);
      return answer;
    } finally {
      underWay.remove(token);
      mine.complete(answer);
    }
  }

  private Caller inTurn(String token) throws InterruptedException {
    if (!places.tryAcquire(patience.toNanos(), TimeUnit.NANOSECONDS)) {
      return new Caller.Refused(429, "too many callers at once");
    }
    try {
      return caller(api.create(PATH, review(List.of(Vocabulary.AUDIENCE), token)));
    } catch (ApiException e) {
      LOG.log(System.Logger.Level.WARNING, "TokenReview failed: {0}", ApiErrors.describe(e));
      return new Caller.Refused(503, "the API server did not review the token");
    } finally {
      places.release();
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
