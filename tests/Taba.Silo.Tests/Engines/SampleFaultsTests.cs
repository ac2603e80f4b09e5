using Taba.Diffusion.Engine;
using Taba.Grains.Stages;
using Taba.Silo.Engines;
using Taba.Storage.Objects;
using static TorchSharp.torch;

namespace Taba.Silo.Tests.Engines;

public sealed class SampleFaultsTests
{
    static readonly InvalidOperationException s_inner = new("why");

    public static TheoryData<Exception, FailureKind> OfSamples => new()
    {
        { new NonFiniteStateException(3, ScalarType.Float16), FailureKind.NonFinite },
        { new PoisonSampleException(3, s_inner), FailureKind.Poison },
        { new OutOfDeviceMemoryException("none left", s_inner), FailureKind.OutOfMemory },
        { new ArgumentException("100 bytes"), FailureKind.Input },
        { new FormatException("no"), FailureKind.Other },
    };

    public static TheoryData<Exception, PartFaultKind> OfParts => new()
    {
        { new StoreException("the disk is full"), PartFaultKind.Store },
        { new IOException("no space"), PartFaultKind.Store },
        { new AggregateException(new StoreException("the disk is full")), PartFaultKind.Store },
        { new PassFailedException("adm", 3, s_inner), PartFaultKind.Engine },
        { new EngineStoppedException("it broke", new DeviceBrokenException("adm", s_inner)), PartFaultKind.Engine },
    };

    [Theory]
    [MemberData(nameof(OfSamples))]
    public void KindOf_ErrorOfASample_BlamesTheSample(Exception error, FailureKind kind)
    {
        Assert.False(SampleFaults.IsEnd(error));
        Assert.Null(SampleFaults.OfPart(error));
        Assert.Equal(kind, SampleFaults.KindOf(error));
    }

    [Theory]
    [MemberData(nameof(OfParts))]
    public void OfPart_ErrorOfStoreOrEngine_BlamesNoSample(Exception error, PartFaultKind kind)
    {
        Assert.False(SampleFaults.IsEnd(error));
        Assert.Equal(kind, SampleFaults.OfPart(error)?.Kind);
    }

    [Fact]
    public void IsEnd_EngineThatWasStopped_IsNobodysFault()
    {
        Assert.True(SampleFaults.IsEnd(new EngineStoppedException("draining")));
        Assert.True(SampleFaults.IsEnd(new OperationCanceledException()));
        Assert.False(SampleFaults.IsEnd(new EngineStoppedException("broken", s_inner)));
    }
}
