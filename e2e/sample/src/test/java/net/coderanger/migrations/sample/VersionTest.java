package net.coderanger.migrations.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import module java.base;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VersionTest {
  private static final Version V1 = new Version(1);
  private static final Version V2 = new Version(2);

  @Test
  void isReadAsItIsWritten() {
    assertEquals(V2, Version.parse("v2"));
    assertEquals("v2", V2.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "2", "v", "v0", "v-1", "v1.1", "V1", "v99999"})
  void whatIsNoVersionIsRefused(String text) {
    assertThrows(IllegalArgumentException.class, () -> Version.parse(text));
  }

  @Test
  void aVersionBringsTheMigrationsOfThoseBeforeIt() {
    assertEquals(
        List.of("filesystem:/app/migrations/v1", "filesystem:/app/migrations/v2"),
        V2.locations(Path.of("/app/migrations")));
  }

  @Test
  void theSchemaItNeedsWillDo() {
    assertEquals(Optional.empty(), V2.objectionTo(OptionalInt.of(2)));
  }

  @Test
  void aNewerSchemaWillDo() {
    assertEquals(Optional.empty(), V1.objectionTo(OptionalInt.of(2)));
  }

  @Test
  void anOlderSchemaWillNotDo() {
    assertEquals(
        Optional.of("v2 needs the schema at 2, and it is at 1"), V2.objectionTo(OptionalInt.of(1)));
  }

  @Test
  void aDatabaseWithoutSchemaWillNotDo() {
    assertEquals(
        Optional.of("v1 needs the schema at 1, and there is none"),
        V1.objectionTo(OptionalInt.empty()));
  }

  @Test
  void priorityCameWithTheSecondVersion() {
    assertFalse(V1.hasPriority());
    assertTrue(V2.hasPriority());
  }
}
