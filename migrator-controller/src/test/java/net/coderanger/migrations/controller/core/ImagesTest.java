package net.coderanger.migrations.controller.core;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImagesTest {
  @ParameterizedTest
  @CsvSource({
    "shop, shop",
    "shop:1, shop",
    "shop@sha256:ab, shop",
    "shop:1@sha256:ab, shop",
    "registry:5000/team/shop, registry:5000/team/shop",
    "registry:5000/team/shop:1, registry:5000/team/shop",
    "registry:5000/team/shop:1@sha256:ab, registry:5000/team/shop",
  })
  void theRepositoryIsTheReferenceWithoutTagAndDigest(String image, String repository) {
    assertEquals(repository, Images.repository(image));
  }

  @ParameterizedTest
  @CsvSource({
    "shop:1, shop:1, shop:1",
    "mirror.local/library/shop:1, shop:1, shop:1",
    "shop:2, shop:1, shop:2",
    "mirror.local/shop:2, shop:1, mirror.local/shop:2",
    "shop@sha256:ab, shop:1, shop@sha256:ab",
    "'', shop:1, shop:1",
  })
  void theTemplatesSpellingCountsUnlessThePodWasEdited(
      String inPod, String inTemplate, String counts) {
    assertEquals(counts, Images.asTemplated(inPod, inTemplate));
  }
}
