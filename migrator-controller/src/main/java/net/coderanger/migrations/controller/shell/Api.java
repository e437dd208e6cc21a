package net.coderanger.migrations.controller.shell;

import module java.base;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import io.kubernetes.client.custom.V1Patch;
import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.Pair;

/**
 * Every call to the API server that the controller makes besides its watches: raw JSON in and out,
 * with strict field validation, counted, and with one place where faults can be injected.
 *
 * <p>All methods throw {@link ApiException} with the HTTP status, 0 for a fault of the connection.
 */
public final class Api {
  /** Sees each call before and after it is made; for metrics, and for tests that crash there. */
  public interface Observer {
    /** Does nothing. */
    Observer NONE = new Observer() {};

    /** Called before the request is sent. */
    default void before(String verb, String path) {}

    /**
     * Called after the answer has come.
     *
     * @param status HTTP status, 0 for a fault of the connection
     */
    default void after(String verb, String path, int status) {}
  }

  private static final String JSON = "application/json";
  private static final String MERGE_PATCH = "application/merge-patch+json";
  private static final Pair STRICT = new Pair("fieldValidation", "Strict");
  private static final Pair MANAGER = new Pair("fieldManager", "migrations-operator");

  private static final Gson WITH_NULLS = new GsonBuilder().serializeNulls().create();

  private final ApiClient client;
  private final Observer observer;
  private final BooleanSupplier mayWrite;

  /** Makes calls with this client. */
  public Api(ApiClient client, Observer observer) {
    this(client, observer, () -> true);
  }

  private Api(ApiClient client, Observer observer, BooleanSupplier mayWrite) {
    this.client = client;
    this.observer = observer;
    this.mayWrite = mayWrite;
  }

  /** The same, but while this is false everything except reads fails with 409. */
  Api onlyWhile(BooleanSupplier mayWrite) {
    return new Api(client, observer, mayWrite);
  }

  JsonObject get(String path) throws ApiException {
    return call("GET", path, List.of(), null, JSON);
  }

  /** An object, empty when there is none. */
  Optional<JsonObject> find(String path) throws ApiException {
    try {
      return Optional.of(get(path));
    } catch (ApiException e) {
      if (e.getCode() == 404) {
        return Optional.empty();
      }
      throw e;
    }
  }

  JsonObject list(String path, String labelSelector) throws ApiException {
    return call("GET", path, List.of(new Pair("labelSelector", labelSelector)), null, JSON);
  }

  /** A list, read into this type at once: its text is the largest that we get. */
  <T> T list(String path, Map<String, String> query, Type type) throws ApiException {
    var pairs = query.entrySet().stream().map(e -> new Pair(e.getKey(), e.getValue())).toList();
    return call("GET", path, pairs, null, JSON, type);
  }

  JsonObject listByField(String path, String fieldSelector) throws ApiException {
    return call("GET", path, List.of(new Pair("fieldSelector", fieldSelector)), null, JSON);
  }

  /** Creates an object in a collection. */
  public JsonObject create(String path, JsonObject object) throws ApiException {
    return call("POST", path, List.of(STRICT, MANAGER), object, JSON);
  }

  JsonObject patch(String path, JsonObject mergePatch) throws ApiException {
    // client-java's Gson leaves out members that are null, which in a merge patch delete.
    var patch = new V1Patch(WITH_NULLS.toJson(mergePatch));
    return call("PATCH", path, List.of(STRICT, MANAGER), patch, MERGE_PATCH);
  }

  /** Deletes in the foreground, and only the object with this uid. */
  void delete(String path, String uid) throws ApiException {
    var preconditions = new JsonObject();
    preconditions.addProperty("uid", uid);
    var options = new JsonObject();
    options.addProperty("apiVersion", "v1");
    options.addProperty("kind", "DeleteOptions");
    options.addProperty("propagationPolicy", "Foreground");
    options.add("preconditions", preconditions);
    call("DELETE", path, List.of(), options, JSON);
  }

  private JsonObject call(
      String verb, String path, List<Pair> query, Object body, String contentType)
      throws ApiException {
    return call(verb, path, query, body, contentType, JsonObject.class);
  }

  private <T> T call(
      String verb, String path, List<Pair> query, Object body, String contentType, Type type)
      throws ApiException {
    if (!verb.equals("GET") && !mayWrite.getAsBoolean()) {
      throw new ApiException(409, "this replica does not lead any more");
    }
    observer.before(verb, path);
    var status = 0;
    try {
      var headers = new HashMap<>(Map.of("Accept", JSON, "Content-Type", contentType));
      var call =
          client.buildCall(
              null,
              path,
              verb,
              query,
              List.of(),
              body,
              headers,
              new HashMap<>(),
              new HashMap<>(),
              new String[] {"BearerToken"},
              null);
      var response = client.<T>execute(call, type);
      status = response.getStatusCode();
      return response.getData();
    } catch (ApiException e) {
      status = e.getCode();
      throw e;
    } finally {
      observer.after(verb, path, status);
    }
  }
}
