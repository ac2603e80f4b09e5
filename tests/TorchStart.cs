using System.Runtime.CompilerServices;
using Taba.Diffusion.Native;

namespace Taba.Tests;

/// <summary>Part of every test program that uses libtorch: its settings are made before any test, as a program does first of all.</summary>
static class TorchStart
{
    [ModuleInitializer]
    internal static void Configure() => TorchProcess.Configure();
}
