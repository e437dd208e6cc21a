package net.coderanger.migrations.api;

import module java.base;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;

/** A Migrator that uses every field of the schema. */
final class EveryField {
  private EveryField() {}

  static JsonObject migrator() {
    return JsonParser.parseString(
            """
            {"metadata":{"name":"full"},
             "spec":{
              "selector":{"matchLabels":{"app":"shop"},"matchExpressions":[{"key":"tier","operator":"In","values":["web","worker"]}]},
              "templateSelector":{"matchLabels":{"tier":"web"},"matchExpressions":[{"key":"canary","operator":"DoesNotExist","values":[]}]},
              "container":"web","image":"shop-migrations:1","command":["migrate"],"args":[],
              "labels":{"team":"a"},"annotations":{"note":"b c"},
              "env":[{"name":"A","value":"b"},{"name":"P","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}],
              "envFrom":[{"prefix":"X_","configMapRef":{"name":"c","optional":true}},{"secretRef":{"name":"s"}}],
              "resources":{"limits":{"memory":"64Mi"},"requests":{"cpu":"100m"},"claims":[{"name":"gpu","request":"one"}]},
              "serviceAccountName":"migrations","suspend":true,"backoffLimit":0,"activeDeadlineSeconds":600,
              "successfulJobsHistoryLimit":0,"failedJobsHistoryLimit":2},
             "status":{"observedGeneration":1,
              "conditions":[{"type":"Ready","status":"False","observedGeneration":1,"lastTransitionTime":"2026-01-01T00:00:00Z","reason":"MigrationsRunning","message":"m"}],
              "lastSuccessfulMigration":"shop:1","waitingPods":3,
              "current":{"image":"shop:2","migrationImage":"shop-migrations:1","job":"full-migrations-1","template":"ReplicaSet/shop-1","templateRevision":1,"specHash":"h",
               "startTime":"2026-01-01T00:00:00Z","attempt":2,"failedAttempts":1,"nextRetryTime":"2026-01-01T00:00:00Z","runRequest":"r","observedGeneration":1,"message":"m"},
              "failures":[{"image":"shop:0","migrationImage":"shop-migrations:1","job":"j","template":"ReplicaSet/shop-0","templateRevision":0,"observedGeneration":1,"runRequest":"r",
               "failedAttempts":4,"at":"2026-01-01T00:00:00Z","message":"m"}],
              "attempts":7,"runRequestHandled":"r",
              "migratedImages":[{"image":"shop:1","migrationImage":"shop-migrations:1","at":"2026-01-01T00:00:00Z"}],
              "history":[{"image":"shop:1","migrationImage":"shop-migrations:1","job":"j","result":"Succeeded","startTime":"2026-01-01T00:00:00Z",
               "completionTime":"2026-01-01T00:00:00Z","message":"m"}]}}
            """)
        .getAsJsonObject();
  }

  /** Adds the paths of schemas below this one that have no description. */
  static void undescribed(String path, JsonObject schema, List<String> missing) {
    if (schema.has("properties")) {
      for (var property : schema.getAsJsonObject("properties").entrySet()) {
        var child = property.getValue().getAsJsonObject();
        var childPath = path.isEmpty() ? property.getKey() : path + "." + property.getKey();
        if (!child.has("description")) {
          missing.add(childPath);
        }
        undescribed(childPath, child, missing);
      }
    }
    if (schema.has("items")) {
      undescribed(path + "[]", schema.getAsJsonObject("items"), missing);
    }
  }
}
