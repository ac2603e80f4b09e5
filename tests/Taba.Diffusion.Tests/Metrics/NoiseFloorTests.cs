using Taba.Diffusion.Metrics;

namespace Taba.Diffusion.Tests.Metrics;

public sealed class NoiseFloorTests
{
    static readonly NoiseAddress s_address = new(
        NoiseLayout.Upstream, 420, Dtype.Float16, NoiseStream.Initial, new StateShape(3, 16, 16), 4);

    [Fact]
    public void Correlation_OfFourTimesTheRows_IsHalf()
    {
        var few = NoiseFloor.Correlation(s_address, 512);
        var many = NoiseFloor.Correlation(s_address, 2048);
        Assert.Equal(2, few.Mean / many.Mean, 0.1);
    }

    [Fact]
    public void Correlation_OfTheSameAddress_IsTheSame() =>
        Assert.Equal(NoiseFloor.Correlation(s_address, 300), NoiseFloor.Correlation(s_address, 300));

    [Fact]
    public void Correlation_WhenCancelled_Stops() =>
        Assert.Throws<OperationCanceledException>(
            () => NoiseFloor.Correlation(s_address, 512, cancellation: new CancellationToken(canceled: true)));
}
