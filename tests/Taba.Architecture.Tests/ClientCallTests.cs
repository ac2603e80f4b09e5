using System.Reflection;
using Taba.Grains;

namespace Taba.Architecture.Tests;

/// <summary>
/// Gateways let through what is declared to be for clients (<see cref="ForClientsAttribute"/>). That is what the command calls, and nothing
/// more: every method more is one by which results can be changed from outside.
/// </summary>
public sealed class ClientCallTests
{
    static readonly List<Type> s_grains =
        [.. typeof(ForClientsAttribute).Assembly.GetTypes().Where(t => t.IsInterface && t.IsAssignableTo(typeof(IAddressable)))];

    [Fact]
    public void ForClients_DeclaredMethods_AreThoseThatTheCommandCalls()
    {
        var declared = s_grains.SelectMany(t => t.GetMethods()).Where(m => m.IsDefined(typeof(ForClientsAttribute))).Select(Name)
            .ToHashSet();
        var called = (from method in CompiledCode.Methods(SourceProject.Load("Taba.Client"))
                      from instruction in CompiledCode.Read(method)
                      where instruction.Called is { DeclaringType: { } type } && s_grains.Contains(type)
                      select Name(instruction.Called!)).ToHashSet();
        Assert.Contains("ISweepGrain.SubmitAsync", called);
        Assert.Contains("IStageGrain.GetPublishedAsync", called);
        Offenders.None(called.Except(declared).Select(m => $"the command calls {m}, which silos refuse: mark it with [ForClients]")
            .Concat(declared.Except(called).Select(m => $"{m} is for clients, and the command does not call it: take [ForClients] away")));
    }

    static string Name(MethodBase method) => $"{method.DeclaringType!.Name}.{method.Name}";
}
