package net.coderanger.migrations.injector.core;

import module java.base;

/**
 * How waiters reach the gate at present.
 *
 * @param ca PEM of the CAs to trust, one or more
 * @param address IP address of the gate's Service, for pods that cannot resolve cluster names;
 *     empty while it is not known
 */
public record Gate(String ca, Optional<String> address) {}
