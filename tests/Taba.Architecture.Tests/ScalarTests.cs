using System.Reflection;
using System.Reflection.Emit;

namespace Taba.Architecture.Tests;

/// <summary>
/// TorchSharp frees a scalar that nothing refers to, even while libtorch reads it (docs/design/native-libraries.md, Scalars). Which of
/// its methods make scalars and let them go is read from its code: another version of it is judged by what that version does.
/// </summary>
public sealed class ScalarTests
{
    static readonly Assembly s_torch = Assembly.Load("TorchSharp");
    static readonly Dictionary<(Module, int), MethodBase> s_lettingGo = LettingGo();

    public static TheoryData<string> Assemblies => [.. Ours("taba").Distinct()];

    [Fact]
    public void TorchSharp_MethodsThatLetAScalarGo_AreFound() => Assert.Superset(
        new HashSet<string>
        {
            "M:TorchSharp.torch.Tensor.add(TorchSharp.torch.Tensor)",
            "M:TorchSharp.torch.Tensor.op_Multiply(TorchSharp.torch.Tensor,System.Double)",
            "M:TorchSharp.torch.nn.functional.mish(TorchSharp.torch.Tensor,System.Boolean)",
        },
        s_lettingGo.Values.Select(MemberId.Of).ToHashSet());

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Assembly_WhatItCalls_LetsNoScalarGo(string assembly) => Offenders.None(
        from method in CompiledCode.Methods(Assembly.Load(assembly))
        from called in Called(method)
        where s_lettingGo.ContainsKey(CompiledCode.Definition(called))
        select $"{method.DeclaringType}.{method.Name} calls {MemberId.Of(called)}");

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Assembly_ScalarsThatItMakes_AreHeld(string assembly) => Offenders.None(
        from method in CompiledCode.Methods(Assembly.Load(assembly))
        let code = CompiledCode.Read(method)
        from place in Enumerable.Range(0, code.Count)
        where code[place].Called is { } made && Makes(made) && !IsHeld(code, place)
        select $"{method.DeclaringType}.{method.Name} does not hold what {MemberId.Of(code[place].Called!)} gives");

    /// <summary>
    /// The analyzer speaks while one writes, in tests and tools too. Of modules and distributions, which nobody uses, it knows
    /// nothing.
    /// </summary>
    [Fact]
    public void BannedSymbols_ScalarsOfTorchSharp_AreAllThere()
    {
        var banned = Repository.Read("BannedSymbols.Scalars.txt").Split('\n').Select(line => line.Split(';')[0]).ToHashSet();
        var conversions = CompiledCode.Methods(s_torch).Where(m => Makes(m) && m.Name == "op_Implicit");
        var ofTensors = s_lettingGo.Values.Where(m => m.IsPublic && m.DeclaringType!.IsVisible && IsOfTensors(m.DeclaringType));
        Offenders.None(conversions.Concat(ofTensors).Select(MemberId.Of).Except(banned));
    }

    /// <summary>All that call a maker of scalars and give none back, and those that call these.</summary>
    static Dictionary<(Module, int), MethodBase> LettingGo()
    {
        var others = CompiledCode.Methods(s_torch).Where(method => !Makes(method)).ToList();
        var found = others.Where(method => Called(method).Any(Makes)).ToDictionary(CompiledCode.Definition);
        var callers = others.SelectMany(caller => Called(caller).Select(called => (called, caller)))
            .ToLookup(pair => CompiledCode.Definition(pair.called), pair => pair.caller);
        var waiting = new Queue<MethodBase>(found.Values);
        while (waiting.TryDequeue(out var method))
        {
            foreach (var caller in callers[CompiledCode.Definition(method)].Where(
                caller => found.TryAdd(CompiledCode.Definition(caller), caller)))
                waiting.Enqueue(caller);
        }
        return found;
    }

    static IEnumerable<MethodBase> Called(MethodBase method) =>
        CompiledCode.Read(method).Select(instruction => instruction.Called).OfType<MethodBase>();

    static bool Makes(MethodBase method) => method is MethodInfo { ReturnType.FullName: "TorchSharp.Scalar" };

    static bool IsOfTensors(Type type) =>
        !new[] { ".Modules.", "+distributions", "+jit", "+tensorboard", "+optim" }.Any(
            part => type.FullName!.Contains(part, StringComparison.Ordinal));

    /// <summary>It goes into a field, or into a local that the method disposes of at its end ('using').</summary>
    static bool IsHeld(List<Instruction> code, int place)
    {
        var next = code[place + 1];
        while (next.Code == OpCodes.Br || next.Code == OpCodes.Br_S)
            next = code.Find(instruction => instruction.Offset == next.Number);
        if (next.Code == OpCodes.Stfld || next.Code == OpCodes.Stsfld)
            return true;
        return next.Code.Name!.StartsWith("stloc", StringComparison.Ordinal)
            && Enumerable.Range(1, code.Count - 1).Any(i => code[i].Called is { Name: nameof(IDisposable.Dispose) }
                && code[i - 1].Code.Name!.StartsWith("ldloc", StringComparison.Ordinal) && code[i - 1].Number == next.Number);
    }

    /// <summary>An assembly of ours and all of ours that it uses.</summary>
    static IEnumerable<string> Ours(string name) => Assembly.Load(name).GetReferencedAssemblies()
        .Where(used => used.Name!.StartsWith("Taba.", StringComparison.Ordinal)).SelectMany(used => Ours(used.Name!)).Prepend(name);
}
