using System.Runtime.CompilerServices;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>Also tests that run no command see no model of the user's.</summary>
static class WithoutNetwork
{
    [ModuleInitializer]
    internal static void Begin() => Isolation.Begin();
}
