package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.kubernetes.client.openapi.ApiException;
import net.coderanger.migrations.controller.shell.Api;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Somebody else writes the Migrator between our look at it and our own write: what we decided may
 * be wrong by now, so that our write must fail, and all has to be decided again.
 */
@ResourceLock(SharedKube.LEASE)
class ConflictsIT {
  private final AtomicReference<Api.Observer> observer = new AtomicReference<>(Api.Observer.NONE);
  private final AtomicInteger conflicts = new AtomicInteger();
  private final RunningController controller =
      new RunningController(
          SharedKube.get(),
          new Api.Observer() {
            @Override
            public void before(String verb, String path) {
              observer.get().before(verb, path);
            }

            @Override
            public void after(String verb, String path, int status) {
              if (status == 409) {
                conflicts.incrementAndGet();
              }
            }
          });

  @AfterEach
  void stop() {
    controller.close();
  }

  @ParameterizedTest(name = "before its {0}. write of the status: {1}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "1 | {\"metadata\":{\"annotations\":{\"somebody\":\"else\"}}}",
        "1 | {\"spec\":{\"args\":[\"changed\"]}}",
        "2 | {\"metadata\":{\"annotations\":{\"somebody\":\"else\"}}}"
      })
  void aForeignWriteBeforeOursLosesNothingAndStartsNothingTwice(int write, String patch)
      throws Exception {
    var cluster =
        new Cluster(
            SharedKube.get(), "conflict-%d-%d".formatted(write, patch.contains("args") ? 1 : 0));
    var writes = new AtomicInteger();
    var status = "/namespaces/%s/migrators/shop/status".formatted(cluster.namespace);
    observer.set(
        new Api.Observer() {
          @Override
          public void before(String verb, String path) {
            if (verb.equals("PATCH")
                && path.endsWith(status)
                && writes.incrementAndGet() == write) {
              try {
                cluster.patchMigrator("shop", patch);
              } catch (ApiException e) {
                throw new IllegalStateException(e);
              }
            }
          }
        });
    cluster.migrator("shop", "{\"selector\":{\"matchLabels\":{\"app\":\"shop\"}}}");
    cluster.waitingPod("shop-1", cluster.replicaSet("shop-a", "shop:1", 1), "shop", "shop:1");
    var job = cluster.newJob();
    cluster.endPod(cluster.startPodOf(job), 0, "");
    await().until(() -> cluster.reason("shop").equals("MigrationsUpToDate"));
    await()
        .untilAsserted(
            () -> {
              cluster.collectGarbage();
              assertEquals(
                  List.of(Cluster.name(job)),
                  cluster.jobs().asList().stream()
                      .map(found -> Cluster.name(found.getAsJsonObject()))
                      .toList(),
                  "what is left of a start that was broken off is cleared away");
            });
    assertTrue(conflicts.get() > 0, "there was a conflict");
    var migrator = cluster.getMigrator("shop");
    assertEquals(
        "shop:1", migrator.getAsJsonObject("status").get("lastSuccessfulMigration").getAsString());
    assertEquals(1, migrator.getAsJsonObject("status").getAsJsonArray("migratedImages").size());
    if (patch.contains("args")) {
      assertTrue(job.toString().contains("\"args\":[\"changed\"]"), "by the changed spec");
    }
  }
}
