using System.Reflection;
using System.Reflection.Emit;

namespace Taba.Architecture.Tests;

/// <summary>One instruction of a compiled method.</summary>
/// <param name="Code">The opcode.</param>
/// <param name="Offset">Bytes from the method's start.</param>
/// <param name="Called">The method that a call, a delegate or a new object names.</param>
/// <param name="Number">The number of a local; the offset that a branch leads to.</param>
readonly record struct Instruction(OpCode Code, int Offset, MethodBase? Called, int Number);

/// <summary>Compiled methods as lists of instructions, with what they call.</summary>
static class CompiledCode
{
    const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>Methods, accessors and constructors with a body, those of lambdas and iterators among them.</summary>
    public static IEnumerable<MethodBase> Methods(Assembly assembly) =>
        from type in assembly.GetTypes()
        from method in type.GetMethods(Declared).Concat<MethodBase>(type.GetConstructors(Declared))
        where method.GetMethodBody() is not null
        select method;

    /// <summary>The same for every instance of a generic method.</summary>
    public static (Module Module, int Token) Definition(MethodBase method) => (method.Module, method.MetadataToken);

    public static List<Instruction> Read(MethodBase method)
    {
        var body = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        return [.. Il.Split(body).Select(
            i => new Instruction(i.Code, i.Start, Called(method, i.Code, body, i.Operand), Number(i.Code, body, i.Operand, i.End)))];
    }

    static MethodBase? Called(MethodBase method, OpCode code, byte[] body, int operand)
    {
        if (code.OperandType != OperandType.InlineMethod)
            return null;
        var ofType = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        var ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        return method.Module.ResolveMethod(BitConverter.ToInt32(body, operand), ofType, ofMethod);
    }

    static int Number(OpCode code, byte[] body, int operand, int end) => code.OperandType switch
    {
        OperandType.ShortInlineVar => body[operand],
        OperandType.InlineVar => BitConverter.ToUInt16(body, operand),
        OperandType.ShortInlineBrTarget => end + (sbyte)body[operand],
        OperandType.InlineBrTarget => end + BitConverter.ToInt32(body, operand),
        _ => LocalOf(code),
    };

    /// <summary>The first four locals are named by the opcode.</summary>
    static int LocalOf(OpCode code) =>
        code.Value >= OpCodes.Stloc_0.Value && code.Value <= OpCodes.Stloc_3.Value ? code.Value - OpCodes.Stloc_0.Value
        : code.Value >= OpCodes.Ldloc_0.Value && code.Value <= OpCodes.Ldloc_3.Value ? code.Value - OpCodes.Ldloc_0.Value
        : -1;
}
