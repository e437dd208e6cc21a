package net.coderanger.migrations.kube;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.kubernetes.client.openapi.ApiException;
import org.junit.jupiter.api.Test;

class ApiErrorsTest {
  @Test
  void aFaultOfTheConnectionIsOneLineHoweverItIsWrapped() {
    var refused = new ConnectException("Failed to connect to /10.96.0.1:443");
    for (var e : List.of(refused, new ApiException(refused), new IllegalStateException(refused))) {
      assertTrue(ApiErrors.isOutage(e));
      assertEquals(
          "the API server cannot be reached: ConnectException: Failed to connect to"
              + " /10.96.0.1:443",
          ApiErrors.describe(e));
    }
  }

  @Test
  void anAnswerIsToldWithItsBodyOrOurOwnWords() {
    var answered = new ApiException(403, Map.of(), "{\"kind\":\"Status\",\n\"message\":\"no\"}");
    assertFalse(ApiErrors.isOutage(answered));
    assertEquals(
        "the API server answered 403: {\"kind\":\"Status\", \"message\":\"no\"}",
        ApiErrors.describe(answered));
    assertEquals("no", ApiErrors.message(answered));
  }

  @Test
  void whatHasNoMessageIsNamed() {
    assertEquals("TimeoutException", ApiErrors.describe(new TimeoutException()));
  }

  @Test
  void aLongAnswerIsCut() {
    assertEquals(
        600, ApiErrors.describe(new ApiException(500, Map.of(), "x".repeat(5000))).length());
  }
}
