package net.coderanger.migrations.controller.core;

import static org.junit.jupiter.api.Assertions.assertEquals;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.NumericChars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RedactionTest {
  @ParameterizedTest
  @CsvSource({
    "connect postgres://shop:s3cret@db/shop failed, connect postgres://shop:***@db/shop failed",
    "redis://:s3cret@cache:6379, redis://:***@cache:6379",
    "mysql://a:p@ss/w@rd@db:3306/x, mysql://a:***@db:3306/x",
    "jdbc:postgresql://db/shop?user=a&password=s3cret&ssl=true,"
        + " jdbc:postgresql://db/shop?user=a&password=***&ssl=true",
    "Server=db;Pwd=s3cret;Database=x, Server=db;Pwd=***;Database=x",
    "GET https://example.org/a?token=abc 401, GET https://example.org/a?token=*** 401",
  })
  void aPasswordInAUrlOrConnectionStringIsMasked(String text, String shown) {
    assertEquals(shown, Redaction.of(text));
  }

  @ParameterizedTest
  @CsvSource({
    "relation \"users\" does not exist",
    "listening on http://localhost:8080/health",
    "mail to admin@example.org",
  })
  void otherTextStaysAsItIs(String text) {
    assertEquals(text, Redaction.of(text));
  }

  @Property
  void whateverThePasswordOfAUrlIsItIsNotShown(
      @ForAll
          @AlphaChars
          @NumericChars
          @Chars({'/', ':', '@', '#', '?', '%', '&', '='})
          @StringLength(min = 1, max = 40)
          String password) {
    assertEquals(
        "at postgres://shop:***@db:5432/shop now",
        Redaction.of("at postgres://shop:%s@db:5432/shop now".formatted(password)));
  }
}
