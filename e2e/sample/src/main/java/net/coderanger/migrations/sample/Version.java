package net.coderanger.migrations.sample;

import module java.base;

/**
 * The version of this image. Version n brings the migrations 1 to n and needs the schema at n.
 *
 * @param number from 1
 */
record Version(int number) {
  private static final Pattern FORM = Pattern.compile("v([1-9][0-9]{0,3})");

  /** Reads {@code v1}, {@code v2} and so on. */
  static Version parse(String text) {
    var parts = FORM.matcher(text);
    if (!parts.matches()) {
      throw new IllegalArgumentException("sample.version is not like v1: " + text);
    }
    return new Version(Integer.parseInt(parts.group(1)));
  }

  /** Where Flyway finds this version's migrations. */
  List<String> locations(Path migrations) {
    return IntStream.rangeClosed(1, number)
        .mapToObj(n -> "filesystem:" + migrations.resolve("v" + n))
        .toList();
  }

  boolean hasPriority() {
    return number >= 2;
  }

  /** Why this version cannot run on a schema; a newer one is as good. */
  Optional<String> objectionTo(OptionalInt schema) {
    if (schema.isEmpty()) {
      return Optional.of("%s needs the schema at %d, and there is none".formatted(this, number));
    }
    return schema.getAsInt() >= number
        ? Optional.empty()
        : Optional.of(
            "%s needs the schema at %d, and it is at %d"
                .formatted(this, number, schema.getAsInt()));
  }

  @Override
  public String toString() {
    return "v" + number;
  }
}
