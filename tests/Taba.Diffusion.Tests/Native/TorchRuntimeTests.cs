using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Native;

public sealed class TorchRuntimeTests
{
    [Fact]
    public void Initialize_ThisSystem_TorchWorks()
    {
        TorchRuntime.Initialize();

        using var scope = NewDisposeScope();
        Assert.Equal(6, ones(2, 3).sum().item<float>());
    }
}
