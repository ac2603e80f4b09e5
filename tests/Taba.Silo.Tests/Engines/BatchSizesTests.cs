using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Taba.Diffusion.Engine;
using Taba.Diffusion.Models;
using Taba.Silo.Devices;
using Taba.Silo.Engines;
using Taba.Silo.Models;
using Taba.Testing;
using Taba.Testing.Stores;
using static TorchSharp.torch;

namespace Taba.Silo.Tests.Engines;

/// <summary>How many rows a pass has of whose size nobody has named.</summary>
public sealed class BatchSizesTests : IDisposable
{
    const string Engine = "m-float32";

    static readonly DeviceChoice s_device = SiloDevices.Resolve("cpu", 1, gpus: 0, cores: 8)[0];

    readonly TestFolder _folder = new();
    readonly SpeedMemory _memory;

    public BatchSizesTests() => _memory = new(_folder.Path);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Chooser_NetworkThatNobodyMeasured_MeasuresItOnce()
    {
        using var network = new Network();

        var rows = Chooser(new())!(network);

        Assert.True(network.Passes > 0);
        Assert.Contains(rows, new[] { 4, 8, 16, 32, 64 });
        Assert.Equal(rows, new SpeedMemory(_folder.Path).FindBatch(Engine, NetworkForm.Fast, s_device.SpeedName));
        var passes = network.Passes;
        Assert.Equal(rows, Chooser(new())!(network));
        Assert.Equal(passes, network.Passes);
    }

    [Fact]
    public void Chooser_WhatIsRemembered_IsOfThatNetworkFormAndDevice()
    {
        _memory.AddBatch(Engine, NetworkForm.Fast, s_device.SpeedName, Found(8));
        _memory.AddBatch(Engine, NetworkForm.Fast, s_device.SpeedName, Found(32));
        _memory.Add(Engine, s_device.SpeedName, 1000, TimeSpan.FromSeconds(1), 16);
        using var network = new Network();

        Assert.Equal(32, Chooser(new())!(network));

        Assert.Equal(0, network.Passes);
        Assert.Equal(1000, _memory.Find(Engine, s_device.SpeedName)!.PerSecond);
        Assert.Null(_memory.FindBatch(Engine, NetworkForm.Plain, s_device.SpeedName));
        Assert.Null(_memory.FindBatch(Engine, NetworkForm.Fast, "cpu/2"));
        Assert.Null(_memory.FindBatch("other", NetworkForm.Fast, s_device.SpeedName));
    }

    [Fact]
    public void Chooser_NetworkThatThrows_TakesTheDefaultAndRemembersNothing()
    {
        using var network = new Network { Error = new InvalidOperationException("a kernel is missing") };

        Assert.Equal(16, Chooser(new())!(network));

        Assert.Null(_memory.FindBatch(Engine, NetworkForm.Fast, s_device.SpeedName));
    }

    [Fact]
    public void Chooser_NamedSizeOrNoNetwork_LeavesNothingToChoose()
    {
        Assert.Null(Chooser(new() { BatchSize = 4 }));
        Assert.Null(Sizes(new()).ChooserOf(Define(TinyModels.Gaussian(_folder["gaussian.json"])), Engine, s_device));
    }

    /// <summary>States of 64 MiB are as many as a device chooses by itself, but never fewer rows than its default.</summary>
    [Theory]
    [InlineData(3 * 32 * 32, 64, 512)]
    [InlineData(3 * 128 * 128, 64, 341)]
    [InlineData(3 * 512 * 512, 21, 64)]
    public void BatchesOf_LargerStates_EndEarlier(int elements, int most, int mostOfAny)
    {
        var range = s_device.BatchesOf(elements * sizeof(float));

        Assert.Equal((16, 4, most), (range.Default, range.Least, range.Most));
        Assert.Equal(mostOfAny, DeviceChoice.MostBatchOf(elements * sizeof(float)));
    }

    static BatchFound Found(int rows) => new(rows, [], 100, TimeSpan.FromSeconds(1));

    Func<IDenoiser, int>? Chooser(EngineSettings settings) =>
        Sizes(settings).ChooserOf(Define(TinyModels.Adm(_folder["adm.json"])), Engine, s_device);

    BatchSizes Sizes(EngineSettings settings) => new(_memory, Options.Create(settings), NullLogger<BatchSizes>.Instance);

    static ModelDefinition Define(string path) => ModelCatalogue.Define(new(path));

    /// <summary>Predicts nothing.</summary>
    sealed class Network : IDenoiser
    {
        public Exception? Error { get; init; }

        public int Passes { get; private set; }

        public StateShape Shape => new(3, 8, 8);

        public Device Device => CPU;

        public int? ClassCount => null;

        public Tensor PredictEps(Tensor xt, Tensor timesteps, Tensor? conditions)
        {
            Passes++;
            return Error is null ? zeros_like(xt) : throw Error;
        }

        public void Dispose()
        {
        }
    }
}
