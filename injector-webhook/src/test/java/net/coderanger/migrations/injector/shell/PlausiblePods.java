package net.coderanger.migrations.injector.shell;

import module java.base;

/** Random pods that an API server takes, most of them, and that make it hard to add a waiter. */
record PlausiblePods(Random random) {
  private static final List<String> NAMES =
      List.of("a", "b", "proxy", "migrate-wait-db", "migrate-wait-old", "migrate-wait-db-2");
  private static final List<String> VOLUMES =
      List.of("v", "migrate-wait-token", "migrate-wait-token-2", "migrate-wait-marker");

  /** A pod with this label app, or a pod that differs from it in nothing else. */
  String pod(String app) {
    var volumes = some(VOLUMES);
    return """
    {'metadata':{'name':'fuzz','labels':{'app':'%s'},'annotations':{%s}},
     'spec':{'serviceAccountName':'default',%s%s
      'initContainers':[%s],'containers':[%s],'volumes':[%s]}}
    """
        .formatted(
            app,
            maybe("'a.b/c~d':'1'"),
            maybe("'hostNetwork':true,"),
            maybe("'dnsPolicy':'Default',"),
            some(NAMES).stream()
                .map(name -> container(name, volumes, maybe("'restartPolicy':'Always',")))
                .collect(Collectors.joining(",")),
            container("main", volumes, maybe("'stdin':true,")),
            volumes.stream()
                .map(name -> "{'name':'%s','emptyDir':{}}".formatted(name))
                .collect(Collectors.joining(",")));
  }

  private String container(String name, List<String> volumes, String more) {
    return """
    {'name':'%s','image':'%s',%s%s'env':[%s],'volumeMounts':[%s]}
    """
        .formatted(
            name,
            random.nextBoolean() ? "busybox" : "ghcr.io/coderanger/migrations-operator/waiter:1",
            more,
            maybe("'resources':{'requests':{'cpu':'%dm'}},".formatted(random.nextInt(2000))),
            maybe("{'name':'WAITER_MIGRATOR','value':'db'}"),
            volumes.isEmpty() || random.nextBoolean()
                ? ""
                : "{'name':'%s','mountPath':'/%s'}"
                    .formatted(
                        volumes.getFirst(),
                        random.nextBoolean()
                            ? "x"
                            : "var/run/secrets/kubernetes.io/serviceaccount"));
  }

  private List<String> some(List<String> names) {
    var shuffled = new ArrayList<>(names);
    Collections.shuffle(shuffled, random);
    return shuffled.subList(0, random.nextInt(shuffled.size()));
  }

  private String maybe(String text) {
    return random.nextBoolean() ? text : "";
  }
}
