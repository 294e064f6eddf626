package io.flannelvlan.tests.faults;

import java.lang.classfile.ClassElement;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;

/**
 * Makes a {@link FaultPoint} before and after everything that changes something outside the
 * plugin's memory: files, the kernel, the firewall, ports, etcd, Docker.
 */
final class Weaver {

  private static final ClassDesc POINT = ClassDesc.of(FaultPoint.class.getName());
  private static final MethodTypeDesc REACHED =
      MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_String);

  /**
   * What is called when something is changed, by class. A program that was begun goes on when the
   * plugin is killed.
   */
  private static final Map<String, Set<String>> CALLS =
      Map.of(
          "java/nio/channels/FileChannel",
          Set.of("open", "write", "force", "truncate"),
          "java/nio/file/Files",
          Set.of(
              "copy",
              "createDirectories",
              "createDirectory",
              "createTempFile",
              "delete",
              "deleteIfExists",
              "move",
              "setPosixFilePermissions",
              "writeString"),
          "java/nio/channels/NetworkChannel",
          Set.of("bind"),
          "io/flannelvlan/firewall/Program",
          Set.of("begin"));

  /** Methods of ours that are one change or several of a kind, by class. */
  private static final Map<String, Set<String>> METHODS =
      Map.of(
          "io/flannelvlan/netlink/NetlinkSocket",
          Set.of("exchange"),
          "io/flannelvlan/firewall/Nft",
          Set.of("run"),
          "io/flannelvlan/firewall/Iptables",
          Set.of("restore"),
          "io/flannelvlan/firewall/Conntrack",
          Set.of("delete"),
          "io/flannelvlan/etcd/Calls",
          Set.of("write", "writeEvenLate"),
          "io/flannelvlan/dockerengine/DockerEngine",
          Set.of("create", "remove", "connect", "disconnect"));

  private final ClassFile files;

  /**
   * For classes among those of this loader.
   *
   * @param loader asked for class files alone
   */
  Weaver(ClassLoader loader) {
    this.files =
        ClassFile.of(
            ClassFile.ClassHierarchyResolverOption.of(
                ClassHierarchyResolver.ofResourceParsing(loader)));
  }

  /** The class file with its points; the same if it has none. */
  byte[] woven(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    if (CALLS.keySet().stream().noneMatch(text::contains)
        && METHODS.keySet().stream().noneMatch(text::contains)) {
      return bytes;
    }
    ClassModel model = files.parse(bytes);
    String name = model.thisClass().asInternalName();
    Set<String> methods = METHODS.getOrDefault(name, Set.of());
    String simple = name.substring(name.lastIndexOf('/') + 1);
    ClassTransform points =
        (builder, element) -> {
          if (element instanceof MethodModel method && method.code().isPresent()) {
            String called = method.methodName().stringValue();
            boolean whole =
                methods.contains(called) && method.methodTypeSymbol().parameterCount() > 0;
            builder.transformMethod(
                method, MethodTransform.transformingCode(new Points(simple + "." + called, whole)));
          } else {
            ClassElement other = element;
            builder.with(other);
          }
        };
    return files.transformClass(model, points);
  }

  private static boolean isChange(InvokeInstruction call) {
    return CALLS
        .getOrDefault(call.owner().asInternalName(), Set.of())
        .contains(call.name().stringValue());
  }

  /**
   * In one method.
   *
   * @param whole whether it is a change itself
   */
  private record Points(String method, boolean whole) implements CodeTransform {
    @Override
    public void atStart(CodeBuilder code) {
      if (whole) {
        reached(code, "before", method);
      }
    }

    @Override
    public void accept(CodeBuilder code, CodeElement element) {
      if (element instanceof InvokeInstruction call && isChange(call)) {
        String what = call.name().stringValue() + " in " + method;
        reached(code, "before", what);
        code.with(element);
        reached(code, "after", what);
        return;
      }
      if (whole && element instanceof ReturnInstruction) {
        reached(code, "after", method);
      }
      code.with(element);
    }

    private static void reached(CodeBuilder code, String when, String what) {
      code.ldc(what).invokestatic(POINT, when, REACHED);
    }
  }
}
