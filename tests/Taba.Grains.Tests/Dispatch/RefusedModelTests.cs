using Taba.Grains.Dispatch;

namespace Taba.Grains.Tests.Dispatch;

/// <summary>Which work a silo does not ask for that cannot serve a model.</summary>
public sealed class RefusedModelTests
{
    [Fact]
    public void Means_WhatIsMeasured_NeedsNoModelThatASiloRefuses()
    {
        var sample = TestStages.Sample;
        var measure = sample with
        {
            Kind = StageKind.Measure,
            Measure = new(["paper"], [], new(0, 4096), OfAll: false),
        };
        var refused = new RefusedModel(sample.Model.Digest, "it has other weights");

        Assert.True(refused.Means(StageWork.Of("sample", sample)));
        Assert.False(refused.Means(StageWork.Of("measure", measure)));
    }
}
