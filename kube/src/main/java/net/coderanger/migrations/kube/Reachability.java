package net.coderanger.migrations.kube;

import module java.base;

import okhttp3.Call;
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
      if (!isGivenUp(chain.call())) {
        failed(e);
      }
      throw e;
    }
  }

  /** By its caller, who stops or needs the answer no more: that says nothing of the API server. */
  private static boolean isGivenUp(Call call) {
    return call.isCanceled() || Thread.currentThread().isInterrupted();
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
