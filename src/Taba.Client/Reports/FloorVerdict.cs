namespace Taba.Client.Reports;

/// <summary>What the latents of a point are beside their noise.</summary>
enum FloorVerdict
{
    /// <summary>There is no interval: folders of earlier versions, or fewer than 32 samples.</summary>
    Unknown,

    /// <summary>N does not support a difference.</summary>
    NotToldApart,

    Above,

    Below,
}
