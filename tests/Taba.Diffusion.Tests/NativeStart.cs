using System.Runtime.CompilerServices;
using Taba.Diffusion.Native;

namespace Taba.Diffusion.Tests;

/// <summary>Sets up native code before the runner starts its threads, as silos do: later, glibc has counted its arenas already.</summary>
static class NativeStart
{
    [ModuleInitializer]
    internal static void Initialize() => TorchRuntime.Initialize();
}
