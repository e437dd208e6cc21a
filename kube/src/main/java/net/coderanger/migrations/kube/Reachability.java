package net.coderanger.migrations.kube;

import module java.base;

import okhttp3.Interceptor;
import okhttp3.Response;

/**
 * Sees every call that a process makes to the API server, and tells its log once when it cannot be
 * reached. What else notices an outage keeps silent: see {@link ApiErrors#isOutage}.
 */
final class Reachability implements Interceptor {
  private static final System.Logger LOG = System.getLogger(Reachability.class.getName());

  private final Outage outage = new Outage();

  @Override
  public Response intercept(Chain chain) throws IOException {
    try {
      var response = chain.proceed(chain.request());
      answered();
      return response;
    } catch (IOException e) {
      if (!chain.call().isCanceled()) {
        failed(e);
      }
      throw e;
    }
  }

  private synchronized void answered() {
    outage.answered(Instant.now()).ifPresent(it -> LOG.log(System.Logger.Level.INFO, it));
  }

  private synchronized void failed(IOException e) {
    outage
        .failed(ApiErrors.inBrief(e), Instant.now())
        .ifPresent(it -> LOG.log(System.Logger.Level.WARNING, it));
  }
}
