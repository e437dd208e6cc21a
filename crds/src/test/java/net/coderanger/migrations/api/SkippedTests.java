package net.coderanger.migrations.api;

import module java.base;

import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/** Says why a test was skipped, which Maven's plug-ins keep to themselves. */
public final class SkippedTests implements TestExecutionListener {
  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    tell(test, reason);
  }

  /** An assumption that did not hold. */
  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    if (result.getStatus() == TestExecutionResult.Status.ABORTED) {
      tell(test, result.getThrowable().map(Throwable::getMessage).orElse("no reason given"));
    }
  }

  private static void tell(TestIdentifier test, String reason) {
    System.out.printf("Skipped: %s: %s%n", test.getDisplayName(), reason);
  }
}
