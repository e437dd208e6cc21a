package net.coderanger.migrations.controller;

import module java.base;
import module java.instrument;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import net.coderanger.migrations.api.Scratch;

/**
 * An agent of the JVM by which a test sets the clock of a process, forward and back, as somebody
 * who sets that of a machine would: System.nanoTime does not notice.
 *
 * <p>What asks java.time gets the time with the offset added. What asks System.currentTimeMillis is
 * made to ask java.time; in the JDK, only java.util.Date is.
 */
public final class ClockAgent implements ClassFileTransformer {
  private static final String OFFSET = "test.clock.offset.millis";
  private static final long EVERY_MILLIS = 20;

  private static final String CLOCK = "java/time/Clock";
  private static final List<String> CALLERS =
      List.of("java/time/Clock$SystemClock", "java/util/Date");
  private static final List<String> JDK = List.of("java/", "javax/", "jdk/", "sun/");

  private static final ClassDesc INSTANT = Instant.class.describeConstable().orElseThrow();
  private static final ClassDesc LONG = ConstantDescs.CD_Long;

  private ClockAgent() {}

  /** A jar that makes this class the agent of a JVM which has it on its class path. */
  static Path jar() throws IOException {
    var manifest = new Manifest();
    var attributes = manifest.getMainAttributes();
    attributes.putValue("Manifest-Version", "1.0");
    attributes.putValue("Premain-Class", ClockAgent.class.getName());
    attributes.putValue("Can-Retransform-Classes", "true");
    var jar = Scratch.file("clock", ".jar");
    new JarOutputStream(Files.newOutputStream(jar), manifest).close();
    return jar;
  }

  /**
   * Called by the JVM before the program starts.
   *
   * @param file whose text is the offset in milliseconds, now and whenever it changes
   */
  public static void premain(String file, Instrumentation jvm) throws Exception {
    jvm.addTransformer(new ClockAgent(), true);
    jvm.retransformClasses(Clock.class);
    for (var caller : CALLERS) {
      jvm.retransformClasses(Class.forName(caller.replace('/', '.')));
    }
    Thread.ofPlatform().daemon().name("clock").start(() -> follow(Path.of(file)));
  }

  private static void follow(Path file) {
    while (true) {
      try {
        System.setProperty(OFFSET, Files.readString(file).strip());
        Thread.sleep(EVERY_MILLIS);
      } catch (IOException | InterruptedException e) {
        throw new IllegalStateException("The clock can no longer be set", e);
      }
    }
  }

  @Override
  public byte[] transform(
      Module module,
      ClassLoader loader,
      String name,
      Class<?> redefined,
      ProtectionDomain domain,
      byte[] bytes) {
    if (CLOCK.equals(name)) {
      return transformed(bytes, ClockAgent::addOffset, method -> method.equals("currentInstant"));
    }
    if (CALLERS.contains(name)
        || (JDK.stream().noneMatch(name::startsWith)
            && new String(bytes, StandardCharsets.ISO_8859_1).contains("currentTimeMillis"))) {
      return transformed(bytes, ClockAgent::askJavaTime, _ -> true);
    }
    return null; // as it is
  }

  private static byte[] transformed(
      byte[] bytes, BiConsumer<CodeBuilder, CodeElement> code, Predicate<String> method) {
    var file = ClassFile.of();
    return file.transformClass(
        file.parse(bytes),
        ClassTransform.transformingMethodBodies(
            it -> method.test(it.methodName().stringValue()), code::accept));
  }

  /** Before it returns an Instant. */
  private static void addOffset(CodeBuilder code, CodeElement element) {
    if (element instanceof ReturnInstruction) {
      code.loadConstant(OFFSET)
          .loadConstant(0L)
          .invokestatic(
              LONG,
              "getLong",
              MethodTypeDesc.of(LONG, ConstantDescs.CD_String, ConstantDescs.CD_long))
          .invokevirtual(LONG, "longValue", MethodTypeDesc.of(ConstantDescs.CD_long))
          .invokevirtual(INSTANT, "plusMillis", MethodTypeDesc.of(INSTANT, ConstantDescs.CD_long));
    }
    code.with(element);
  }

  private static void askJavaTime(CodeBuilder code, CodeElement element) {
    if (element instanceof InvokeInstruction call
        && call.owner().asInternalName().equals("java/lang/System")
        && call.name().equalsString("currentTimeMillis")) {
      code.invokestatic(INSTANT, "now", MethodTypeDesc.of(INSTANT))
          .invokevirtual(INSTANT, "toEpochMilli", MethodTypeDesc.of(ConstantDescs.CD_long));
    } else {
      code.with(element);
    }
  }
}
