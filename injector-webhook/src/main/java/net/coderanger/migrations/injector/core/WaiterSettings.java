package net.coderanger.migrations.injector.core;

/**
 * What is the same for all waiters.
 *
 * @param image reference of the waiter's image
 * @param user id to run as, not 0; a service mesh may exempt one from its redirection
 * @param group id to run as
 * @param cpuRequest a Kubernetes quantity; small, since a pod is scheduled for the largest request
 *     of its init containers and keeps that for life
 * @param cpuLimit a Kubernetes quantity; a JVM's start and a TLS handshake need it for a moment
 * @param memory request and limit, a Kubernetes quantity
 * @param gateUrl base URL of the gate, by the name of its Service
 */
public record WaiterSettings(
    String image,
    long user,
    long group,
    String cpuRequest,
    String cpuLimit,
    String memory,
    String gateUrl) {}
