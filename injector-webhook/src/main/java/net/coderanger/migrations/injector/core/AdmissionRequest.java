package net.coderanger.migrations.injector.core;

import module java.base;

import jakarta.json.JsonObject;

/**
 * What the API server asks.
 *
 * @param uid to answer with
 * @param createsPod whether this is the creation of a pod itself, not of a subresource
 * @param namespace of the object; the object itself may not carry it yet
 * @param object as it is to be stored; empty unless a pod is created
 */
public record AdmissionRequest(
    String uid, boolean createsPod, String namespace, JsonObject object) {
  private static final String API_VERSION = "admission.k8s.io/v1";

  /**
   * Reads an AdmissionReview.
   *
   * @throws MalformedReview saying what is missing or of the wrong type
   */
  public static AdmissionRequest of(JsonObject json) {
    var review = new Raw(json);
    demand(review.text("kind").equals(Optional.of("AdmissionReview")), "not an AdmissionReview");
    demand(review.text("apiVersion").equals(Optional.of(API_VERSION)), "not " + API_VERSION);
    demand(review.value("request").isPresent(), "no request");
    var request = review.object("request");
    var uid = request.text("uid").orElse("");
    demand(!uid.isEmpty(), "no uid");
    var createsPod = createsPod(request);
    demand(!createsPod || request.value("object").isPresent(), "no object");
    return new AdmissionRequest(
        uid,
        createsPod,
        request.text("namespace").orElse(""),
        createsPod ? request.object("object").json() : Raw.EMPTY.json());
  }

  private static boolean createsPod(Raw request) {
    var operation = request.text("operation").orElse("");
    demand(!operation.isEmpty(), "no operation");
    demand(request.value("kind").isPresent(), "no kind");
    demand(request.value("resource").isPresent(), "no resource");
    var kind = request.object("kind");
    var resource = request.object("resource");
    return operation.equals("CREATE")
        && kind.text("kind").equals(Optional.of("Pod"))
        && kind.text("group").orElse("").isEmpty()
        && kind.text("version").equals(Optional.of("v1"))
        && resource.text("resource").equals(Optional.of("pods"))
        && request.text("subResource").orElse("").isEmpty();
  }

  private static void demand(boolean holds, String message) {
    if (!holds) {
      throw new MalformedReview(message);
    }
  }
}
