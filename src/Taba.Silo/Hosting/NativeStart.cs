using System.Runtime.CompilerServices;
using Taba.Diffusion.Native;

namespace Taba.Silo.Hosting;

/// <summary>
/// libtorch must be found before TorchSharp's first use, and TorchSharp's failure to find it is final for the process: whoever
/// loads this assembly may use TorchSharp's types before any of Taba.Diffusion's.
/// </summary>
static class NativeStart
{
    [ModuleInitializer]
    internal static void Initialize() => TorchRuntime.Initialize();
}
