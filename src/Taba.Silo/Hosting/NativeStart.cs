using System.Runtime.CompilerServices;
using Taba.Diffusion.Native;

namespace Taba.Silo.Hosting;

/// <summary>
/// Makes libtorch known before TorchSharp's first use: TorchSharp's failure to find it is final for the process, and whoever loads
/// this assembly may use TorchSharp's types before any of Taba.Diffusion's.
/// </summary>
static class NativeStart
{
    [ModuleInitializer]
    internal static void Initialize() => TorchRuntime.Initialize();
}
