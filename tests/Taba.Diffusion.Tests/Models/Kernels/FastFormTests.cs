using Taba.Diffusion.Models.Adm;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models.Kernels;

/// <summary>The fast form of a network beside the plain one.</summary>
public sealed class FastFormTests
{
    static readonly AdmConfig s_config = new()
    {
        ImageSize = 16,
        NumChannels = 32,
        NumResBlocks = 1,
        ChannelMult = [1, 2],
        AttentionResolutions = [8],
    };

    static AdmUnet Network(AdmConfig config, NetworkForm form) =>
        AdmUnet.Load(config, new RandomWeights(AdmParameters.Expected(config)), CPU, ScalarType.Float32, form: form);

    [Theory]
    [InlineData(true, true, false)]
    [InlineData(false, true, true)]
    [InlineData(true, false, false)]
    public void PredictEps_FastAndPlain_SameUpToRounding(bool scaleShift, bool resblockUpdown, bool newOrder)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var config = s_config with
        {
            UseScaleShiftNorm = scaleShift,
            ResblockUpdown = resblockUpdown,
            UseNewAttentionOrder = newOrder,
        };
        using var plain = Network(config, NetworkForm.Plain);
        using var fast = Network(config, NetworkForm.Fast);
        var (x, timesteps) = (NetworkChecks.Noise(3, 3, 16, 16), tensor([1f, 500f, 500f]));

        var (expected, actual) = (plain.PredictEps(x, timesteps, null), fast.PredictEps(x, timesteps, null));

        Assert.InRange((actual - expected).abs().max().item<float>(), 0, 1e-5 * expected.abs().max().item<float>());
    }

    [Fact]
    public void PredictEps_TimestepsOfOneRow_AsEachAlone()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Network(s_config, NetworkForm.Fast);
        var x = NetworkChecks.Noise(4, 3, 16, 16);
        var mixed = network.PredictEps(x, tensor([7f, 500f, 7f, 999f]), null);

        var same = network.PredictEps(x, tensor([500f]).expand(4), null);

        // The table's row does not depend on who else is in the batch.
        Assert.True(mixed[1].equal(same[1]).all().item<bool>());
        Assert.False(mixed[0].equal(same[0]).all().item<bool>());
    }

    [Fact]
    public async Task PredictEps_TwoThreadsAtOnce_SameBits()
    {
        using var network = Network(s_config, NetworkForm.Fast);
        using var x = NetworkChecks.Noise(2, 3, 16, 16);

        // Both find the weights unpacked, at other sizes than each other.
        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => Predict(i % 2 == 0 ? 2 : 1))));

        for (var i = 2; i < results.Length; i++)
            Assert.Equal(results[i % 2], results[i]);

        float[] Predict(int rows)
        {
            using var scope = NewDisposeScope();
            using var inference = inference_mode();
            return network.PredictEps(x.narrow(0, 0, rows), tensor([500f]).expand(rows), null).data<float>().ToArray();
        }
    }
}
