package net.coderanger.migrations.kube;

import module java.base;

import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.kubernetes.client.common.KubernetesType;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.models.V1Status;
import io.kubernetes.client.util.generic.KubernetesApiResponse;

/** Says in one line what the API server objected to, or why there is no word of it. */
public final class ApiErrors {
  private static final int LONGEST = 600;

  private ApiErrors() {}

  /**
   * Whether the API server does not take what it was given, as long as neither that nor the cluster
   * changes: malformed, forbidden (quota, admission policies), invalid. A conflict is none.
   */
  public static boolean isRefusal(ApiException e) {
    return Set.of(400, 403, 413, 422).contains(e.getCode());
  }

  /** Whether there was no answer at all. That is told once for all calls, by Reachability. */
  public static boolean isOutage(Throwable e) {
    return connectionFault(e).isPresent();
  }

  /** What the API server said to people; its whole answer where that holds no message. */
  public static String message(ApiException e) {
    try {
      return shortened(
          JsonParser.parseString(e.getResponseBody())
              .getAsJsonObject()
              .get("message")
              .getAsString());
    } catch (JsonParseException | IllegalStateException | NullPointerException _) {
      return describe(e);
    }
  }

  /** One line; never a token: a status body holds none. */
  public static String describe(Throwable e) {
    var fault = connectionFault(e);
    if (fault.isPresent()) {
      return shortened("the API server cannot be reached: " + inBrief(fault.get()));
    }
    return shortened(
        e instanceof ApiException answer && answer.getCode() != 0
            ? "the API server answered %d: %s"
                .formatted(
                    answer.getCode(), Objects.requireNonNullElse(answer.getResponseBody(), ""))
            : inBrief(e));
  }

  /**
   * The object of an answer.
   *
   * @throws ApiException where it is an error, with what the API server says of it
   */
  public static <T extends KubernetesType> T objectOf(KubernetesApiResponse<T> answer)
      throws ApiException {
    if (!answer.isSuccess()) {
      throw new ApiException(
          answer.getHttpStatusCode(),
          Map.of(),
          Optional.ofNullable(answer.getStatus()).map(V1Status::getMessage).orElse(""));
    }
    return answer.getObject();
  }

  private static Optional<IOException> connectionFault(Throwable e) {
    return Stream.iterate(e, Objects::nonNull, Throwable::getCause)
        .filter(IOException.class::isInstance)
        .map(IOException.class::cast)
        .findFirst();
  }

  static String inBrief(Throwable e) {
    var name = e.getClass().getSimpleName();
    return e.getMessage() == null ? name : name + ": " + e.getMessage();
  }

  private static String shortened(String text) {
    var line = text.replaceAll("\\s+", " ").strip();
    return line.substring(0, Math.min(line.length(), LONGEST));
  }
}
