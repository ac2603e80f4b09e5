namespace Taba.Bench;

/// <summary>A network as it was measured.</summary>
/// <param name="Name">For the table.</param>
/// <param name="Parameters">How many numbers its weights are.</param>
/// <param name="Operations">Floating-point operations of one sample's evaluation.</param>
/// <param name="Batches">In the order asked for.</param>
/// <param name="Passes">By operation; the first batch alone unless all were asked for.</param>
sealed record MeasuredNetwork(
    string Name, long Parameters, double Operations, IReadOnlyList<MeasuredBatch> Batches, IReadOnlyList<ProfiledPass> Passes);

/// <summary>All that took part in the rounds of one batch size.</summary>
sealed record MeasuredBatch(int Batch, IReadOnlyList<MeasuredContender> Contenders, IReadOnlyList<MeasuredProbe> Probes);

/// <summary>One form of a network at one batch size.</summary>
/// <param name="Name">For the table.</param>
/// <param name="PassSeconds">The median pass by round.</param>
/// <param name="OverPlain">How often as fast as the plain form, by round.</param>
/// <param name="GigaFlops">Billions of floating-point operations a second.</param>
/// <param name="ShareOfPeak">Of the best probe of the same type.</param>
/// <param name="Difference">The largest difference of an output from the plain form's; null when the weights are others.</param>
sealed record MeasuredContender(
    string Name, IReadOnlyList<double> PassSeconds, Spread OverPlain, Spread GigaFlops, Spread ShareOfPeak, double? Difference);

/// <summary>A large layer alone, in the rounds of one batch size.</summary>
sealed record MeasuredProbe(string Name, IReadOnlyList<double> PassSeconds, Spread GigaFlops);
