package net.coderanger.migrations.injector.core;

import static net.coderanger.migrations.injector.core.Scene.json;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AdmissionRequestTest {
  /** A review; pairs of what to replace and with what. */
  private static AdmissionRequest read(String... replacements) {
    var text =
        """
        {'apiVersion':'admission.k8s.io/v1','kind':'AdmissionReview','request':{'uid':'u','operation':'CREATE',
         'kind':{'group':'','version':'v1','kind':'Pod'},'resource':{'group':'','version':'v1','resource':'pods'},
         'namespace':'shop','object':{'spec':{}}}}
        """;
    for (var i = 0; i < replacements.length; i += 2) {
      assertTrue(text.contains(replacements[i]), replacements[i]);
      text = text.replace(replacements[i], replacements[i + 1]);
    }
    return AdmissionRequest.of(json(text));
  }

  @Test
  void theCreationOfAPodIsOne() {
    assertEquals(new AdmissionRequest("u", true, "shop", json("{'spec':{}}")), read());
  }

  @ParameterizedTest
  @ValueSource(strings = {"UPDATE", "DELETE", "CONNECT"})
  void otherOperationsAreNone(String operation) {
    assertFalse(read("CREATE", operation, "{'spec':{}}", "null").createsPod());
  }

  @Test
  void otherKindsAndSubresourcesAreNone() {
    assertFalse(read("'Pod'", "'Deployment'").createsPod());
    assertFalse(read("'pods'", "'deployments'").createsPod());
    assertFalse(
        read("{'group':'','version':'v1','kind'", "{'group':'x','version':'v1','kind'")
            .createsPod());
    assertFalse(read("'namespace'", "'subResource':'binding','namespace'").createsPod());
    assertTrue(read("'namespace'", "'subResource':'','namespace'").createsPod());
  }

  @Test
  void whatIsNoReviewSaysWhatIsMissing() {
    assertEquals("not an AdmissionReview", fault("'AdmissionReview'", "'Review'"));
    assertEquals("not admission.k8s.io/v1", fault("k8s.io/v1'", "k8s.io/v1beta1'"));
    assertEquals("no request", fault("'request'", "'response'"));
    assertEquals("no uid", fault("'uid':'u',", ""));
    assertEquals("no uid", fault("'uid':'u'", "'uid':''"));
    assertEquals("'uid' has the wrong type", fault("'uid':'u'", "'uid':1"));
    assertEquals("no operation", fault("'operation'", "'o'"));
    assertEquals("no object", fault("{'spec':{}}", "null"));
    assertEquals("'object' has the wrong type", fault("{'spec':{}}", "[]"));
    assertEquals("no resource", fault("'resource':{", "'r':{"));
  }

  private static String fault(String replaced, String replacement) {
    return assertThrows(MalformedReview.class, () -> read(replaced, replacement)).getMessage();
  }
}
