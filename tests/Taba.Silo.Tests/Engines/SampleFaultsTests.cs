using Taba.Diffusion.Engine;
using Taba.Grains.Faults;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Silo.Engines;
using Taba.Silo.Faults;
using Taba.Storage.Manifests;
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

    static readonly RowRange s_rows = new(32, 64);

    /// <summary>Errors, their owners, and the rows that may have to do with them.</summary>
    public static TheoryData<Exception, FaultOwner, RowRange> OfParts => new()
    {
        { new StoreException("the disk is full"), FaultOwner.Host, default },
        { new IOException("no space"), FaultOwner.Host, default },
        { new FileNotFoundException("x_T.pt is not here"), FaultOwner.Host, default },
        { new UnauthorizedAccessException("not yours"), FaultOwner.Host, default },
        { new AggregateException(new StoreException("the disk is full")), FaultOwner.Host, default },
        { new PassFailedException("adm", 3, s_inner), FaultOwner.Host, s_rows },
        { new EngineStoppedException("it broke", new DeviceBrokenException("adm", s_inner)), FaultOwner.Host, s_rows },
        { new ModelRefusedException("another one"), FaultOwner.Host, default },
        { new DamagedRowsException("input", new(0, 5), null, "damaged"), FaultOwner.Input, new(0, 5) },
        { new InputLostException("input", new(0, 5), "damaged"), FaultOwner.Input, new(0, 5) },
    };

    [Theory]
    [MemberData(nameof(OfSamples))]
    public void KindOf_ErrorOfASample_BlamesTheSample(Exception error, FailureKind kind)
    {
        Assert.False(SampleFaults.IsEnd(error));
        Assert.Null(FaultOwners.Known(error, s_rows));
        Assert.Equal(kind, SampleFaults.KindOf(error));
    }

    [Theory]
    [MemberData(nameof(OfParts))]
    public void Known_ErrorOfHostOrInput_BlamesNoSample(Exception error, FaultOwner owner, RowRange rows)
    {
        Assert.False(SampleFaults.IsEnd(error));
        var fault = FaultOwners.Known(error, s_rows)!;
        Assert.Equal((owner, rows), (fault.Owner, fault.Rows));
    }

    [Fact]
    public void Of_CallToAGrainThatFailed_IsNobodysFault()
    {
        Assert.Equal(FaultOwner.Attempt, FaultOwners.Of(new TimeoutException("no answer"), s_rows).Owner);
        Assert.Equal(FaultOwner.Attempt, FaultOwners.Of(new OrleansException("the silo is gone"), s_rows).Owner);
    }

    [Fact]
    public void Of_WhatNobodyKnows_IsOfTheHostThatThrewIt() =>
        Assert.Equal((FaultOwner.Host, default(RowRange)), FaultOwners.Of(new NotSupportedException("what?"), s_rows) is var f
            ? (f.Owner, f.Rows) : default);

    [Fact]
    public void IsEnd_EngineThatWasStopped_IsNobodysFault()
    {
        Assert.True(SampleFaults.IsEnd(new EngineStoppedException("draining")));
        Assert.True(SampleFaults.IsEnd(new OperationCanceledException()));
        Assert.False(SampleFaults.IsEnd(new EngineStoppedException("broken", s_inner)));
    }
}
