using Taba.Silo.Rows;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Taba.Silo.Devices;
using Taba.Silo.Engines;
using Taba.Testing;

namespace Taba.Silo.Tests.Engines;

public sealed class AutoencoderHostTests
{
    const int MaxModels = 2;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PassAsync_MoreAutoencodersThanStayLoaded_LoadsTheFirstAnewWithTheSameNumbers()
    {
        var turns = new DevicesInTurn();
        await using var host = new AutoencoderHost(
            SiloDevices.Resolve("cpu")[0], turns, Options.Create(new EngineSettings { MaxModels = MaxModels }),
            NullLogger<AutoencoderHost>.Instance);

        var first = await DecodeAsync(host, "a");
        await DecodeAsync(host, "b");
        await DecodeAsync(host, "c");
        Assert.Equal(MaxModels, host.Loaded);
        Assert.True(host.NetworkTime > TimeSpan.Zero);

        Assert.Equal(first, await DecodeAsync(host, "a"));
        Assert.Equal(MaxModels, host.Loaded);
        Assert.Contains(first, value => value != 0);
    }

    static async Task<byte[]> DecodeAsync(AutoencoderHost host, string digest)
    {
        using var part = ActivePart.WithoutSteps(
            new(
                new("stage", 0, 1, Guid.NewGuid()),
                new StageSpec
                {
                    Kind = StageKind.Decode,
                    Model = new(digest, "autoencoder", Fixtures.At("models/dit_tiny/vae"), null, 4, 2, 2),
                    NumInferenceSteps = 0,
                    Precision = new(Dtype.Float32, Dtype.Float32, Dtype.Float32),
                    Input = new NoiseRows(NoiseLayout.Upstream, 1, Dtype.Float32, 1),
                    Output = new(3, 16, 16),
                },
                new(0, 1), CaptureSelection.None, Supplement: false),
            new RowBuffers());
        part.Inputs.AsSpan(0, part.RowBytes).Clear();
        Assert.Empty(await host.PassAsync(part, Cancellation));
        return part.Results.AsSpan(0, part.ResultBytes).ToArray();
    }
}
